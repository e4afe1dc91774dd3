<?php
class action_plugin_habits extends DokuWiki_Action_Plugin
{
    public function register(Doku_Event_Handler $controller)
    {
        $controller->register_hook('ACTION_HEADERS_SEND', 'BEFORE', $this, 'send');
    }

    public function send()
    {
        require __DIR__ . '/cookies.php';
    }
}
