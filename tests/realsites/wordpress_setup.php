<?php
// What the five minutes of WordPress's own installer do, and two posts.
[, $name, $password] = $argv;
$_SERVER['HTTP_HOST'] = 'www.courrier.localhost';
define('WP_INSTALLING', true);
preg_match("/'DB_HOST', 'localhost:([^']+)'/", file_get_contents('wp-config.php'), $found);
$database = new mysqli('localhost', 'root', '', '', 0, $found[1]);
$database->query('CREATE DATABASE wordpress CHARACTER SET utf8mb4');
require getcwd() . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Le carnet de la vallée', $name, 'odile@courrier.example', true, '', $password);
update_option('permalink_structure', '/carnet/%postname%/');
update_option('comment_previously_approved', 0);
update_option('comments_notify', 0);
update_option('moderation_notify', 0);
update_user_meta(1, 'show_welcome_panel', 0);
$posts = ['pont' => 'Le pont a trois arches.', 'orgue' => 'L’orgue de Sainte-Foy a trente-deux jeux.'];
foreach ($posts as $slug => $text) {
    $post = ['post_title' => ucfirst($slug), 'post_name' => $slug, 'post_content' => "<p>$text</p>"];
    wp_insert_post($post + ['post_status' => 'publish', 'post_author' => 1, 'comment_status' => 'open']);
}
global $wp_rewrite;
$wp_rewrite->init();
$wp_rewrite->flush_rules(false);
