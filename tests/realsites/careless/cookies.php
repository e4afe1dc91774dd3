<?php
// What the agency, the advertiser and the A/B tool each had added here over the years.
(function () {
    $day = 86400;
    $lines = [
        'ad_id' => ['path' => '/', 'expires' => 390 * $day],
        'ad_seg' => ['path' => '/', 'expires' => 90 * $day, 'httponly' => true],
        'ad_zone' => ['path' => '{zone}', 'expires' => 30 * $day],
        'ca_parent' => ['path' => '/', 'expires' => 390 * $day, 'domain' => 'courrier.localhost'],
        'ab_profile' => ['path' => '/', 'expires' => 730 * $day, 'httponly' => true],
        'mystery' => ['path' => '/', 'expires' => 365 * $day],
    ];
    foreach ($lines as $name => $attributes) {
        $attributes['expires'] += time();
        $value = $_COOKIE[$name] ?? substr($name, 0, 2) . '.' . bin2hex(random_bytes(8));
        setcookie($name, $value, $attributes + ['samesite' => 'Lax']);
    }
})();
