<?php
/* Plugin Name: habits. What an agency leaves in wp-content/mu-plugins. */
add_action('send_headers', function () {
    require __DIR__ . '/habits/cookies.php';
});
add_action('wp_head', function () {
    readfile(__DIR__ . '/habits/head.html');
});
add_action('wp_footer', function () {
    readfile(__DIR__ . '/habits/foot.html');
});
