"""How the best-known services are put into a page, in the way their providers ask for it; written anew.

For each, the words that must not be in the page where it is refused.
"""

from __future__ import annotations

LOADER = (
    "<script>(function (d, t) {{ var s = d.createElement(t); s.async = 1; s.src = '{address}'; "
    "d.head.appendChild(s) }})(document, 'script'); {call}</script>"
)


def loader(address: str, call: str) -> str:
    return LOADER.format(address=address, call=call)


SNIPPETS: dict[str, tuple[str, list[str]]] = {
    "google-analytics": (
        '<script async src="https://www.googletagmanager.com/gtag/js?id=G-ABC123"></script>'
        "<script>window.dataLayer = window.dataLayer || []; function gtag() { dataLayer.push(arguments) }"
        "gtag('js', new Date()); gtag('config', 'G-ABC123');</script>",
        ["gtag", "G-ABC123"],
    ),
    "google-tag-manager": (
        "<script>(function (w, d, l, i) { w[l] = w[l] || []; w[l].push({'gtm.start': Date.now()}); "
        "var j = d.createElement('script'); j.src = 'https://www.googletagmanager.com/gtm.js?id=' + i; "
        "d.head.appendChild(j) })(window, document, 'dataLayer', 'GTM-ABC');</script>"
        '<noscript><iframe src="https://www.googletagmanager.com/ns.html?id=GTM-ABC" height="0" width="0" '
        'style="display:none;visibility:hidden"></iframe></noscript>',
        ["googletagmanager", "GTM-ABC"],
    ),
    "google-ads": (
        "<script>gtag('event', 'conversion', {send_to: 'AW-123/abc'});</script>"
        '<img width="1" height="1" src="//www.googleadservices.com/pagead/conversion/123/?label=abc">',
        ["AW-123", "googleadservices"],
    ),
    "google-ad-manager": (
        '<script async src="https://securepubads.g.doubleclick.net/tag/js/gpt.js"></script>'
        "<script>window.googletag = window.googletag || {cmd: []}; googletag.cmd.push(function () {"
        "googletag.defineSlot('/123/une', [300, 250], 'pave').addService(googletag.pubads()) });</script>",
        ["doubleclick", "googletag"],
    ),
    "google-adsense": (
        '<script async src="https://pagead2.googlesyndication.com/pagead/js/adsbygoogle.js?client=ca-pub-1">'
        '</script><ins class="annonce" data-ad-client="ca-pub-1"></ins>'
        "<script>(adsbygoogle = window.adsbygoogle || []).push({});</script>",
        ["googlesyndication", "adsbygoogle = "],
    ),
    "matomo": (
        "<script>var _paq = window._paq = window._paq || []; _paq.push(['trackPageView']); (function () {"
        "var u = 'https://gazette.matomo.cloud/'; _paq.push(['setTrackerUrl', u + 'matomo.php']) })();"
        "</script>"
        '<noscript><img src="https://gazette.matomo.cloud/matomo.php?idsite=1&amp;rec=1" alt=""></noscript>'
        '<script src="/matomo.js"></script>',
        ["_paq", "matomo"],
    ),
    "piano-analytics": (
        '<script src="https://tag.aticdn.net/piano-analytics.js"></script>'
        "<script>pa.setConfigurations({site: 1}); pa.sendEvent('page.display', {page: 'une'});</script>",
        ["aticdn", "sendEvent"],
    ),
    "eulerian": (
        "<script>EA_push(['path', '/une', 'pagegroup', 'article']);</script>"
        '<img src="https://gazette.eulerian.net/col/une" width="1" height="1">',
        ["EA_push", "eulerian"],
    ),
    "contentsquare": (
        loader(
            "//t.contentsquare.net/uxa/abc.js",
            "window._uxa = window._uxa || []; _uxa.push(['trackPageview'])",
        ),
        ["contentsquare", "_uxa"],
    ),
    "hotjar": (
        loader("https://static.hotjar.com/c/hotjar-1.js?sv=6", "window._hjSettings = {hjid: 1, hjsv: 6}"),
        ["hotjar", "_hjSettings"],
    ),
    "microsoft-clarity": (
        "<script>(function (c, l, a, r, i) { var t = l.createElement(r); "
        "t.src = 'https://www.clarity.ms/tag/' + i; l.head.appendChild(t) })"
        "(window, document, 'clarity', 'script', 'abc');</script>",
        ["clarity.ms"],
    ),
    "chartbeat": (
        "<script>var _sf_async_config = window._sf_async_config = {uid: 1, domain: 'gazette.test'};</script>"
        '<script async src="//static.chartbeat.com/js/chartbeat.js"></script>',
        ["_sf_async_config", "chartbeat"],
    ),
    "ab-tasty": ('<script src="https://try.abtasty.com/abc.js"></script>', ["abtasty"]),
    "meta-pixel": (
        loader("https://connect.facebook.net/fr_FR/fbevents.js", "fbq('init', '1'); fbq('track', 'PageView')")
        + '<noscript><img height="1" width="1" style="display:none" '
        'src="https://www.facebook.com/tr?id=1&amp;ev=PageView&amp;noscript=1"></noscript>',
        ["fbq", "facebook"],
    ),
    "tiktok-pixel": (
        loader("https://analytics.tiktok.com/i18n/pixel/events.js", "ttq.load('C1'); ttq.page()"),
        ["ttq", "tiktok"],
    ),
    "linkedin-insight": (
        "<script>_linkedin_partner_id = '1'; window._linkedin_data_partner_ids = ['1'];</script>"
        '<script src="https://snap.licdn.com/li.lms-analytics/insight.min.js"></script>'
        '<img height="1" width="1" alt="" src="https://px.ads.linkedin.com/collect/?pid=1&amp;fmt=gif">',
        ["linkedin", "licdn"],
    ),
    "pinterest-tag": (
        loader("https://s.pinimg.com/ct/core.js", "pintrk('load', '1'); pintrk('page')")
        + '<img height="1" width="1" src="https://ct.pinterest.com/v3/?tid=1&amp;noscript=1">',
        ["pintrk", "pinimg", "pinterest"],
    ),
    "snap-pixel": (
        loader("https://sc-static.net/scevent.min.js", "snaptr('init', '1')"),
        ["snaptr", "sc-static"],
    ),
    "x-ads": (loader("https://static.ads-twitter.com/uwt.js", "twq('config', 'o1')"), ["twq", "ads-twitter"]),
    "microsoft-ads": (
        "<script>(function (w, d, t, u) { w[u] = w[u] || []; var n = d.createElement(t); "
        "n.src = '//bat.bing.com/bat.js'; d.head.appendChild(n) })(window, document, 'script', 'uetq');"
        "</script>",
        ["bat.bing"],
    ),
    "criteo": (
        '<script async src="//dynamic.criteo.com/js/ld/ld.js?a=1"></script>'
        "<script>window.criteo_q = window.criteo_q || []; criteo_q.push({event: 'viewHome'});</script>",
        ["criteo"],
    ),
    "taboola": (
        "<script>window._taboola = window._taboola || []; _taboola.push({article: 'auto'});</script>"
        '<script async src="//cdn.taboola.com/libtrc/gazette/loader.js"></script>',
        ["taboola"],
    ),
    "outbrain": ('<script async src="//widgets.outbrain.com/outbrain.js"></script>', ["outbrain"]),
    "teads": ('<script async src="//a.teads.tv/page/1/tag"></script>', ["teads"]),
    "equativ": (
        '<script src="//ced.sascdn.com/tag/1/smart.js"></script>'
        "<script>sas.cmd = sas.cmd || []; sas.cmd.push(function () { sas.call('std', {siteId: 1}) });"
        "</script>",
        ["sascdn", "sas.c"],
    ),
    "xandr": ('<script src="//acdn.adnxs.com/ast/ast.js"></script>', ["adnxs"]),
    "amazon-ads": (
        loader("//c.amazon-adsystem.com/aax2/apstag.js", "apstag.init({pubID: '1'})"),
        ["apstag", "adsystem"],
    ),
    "youtube": (
        '<iframe width="560" height="315" src="https://www.youtube-nocookie.com/embed/abc" title="Le pont" '
        "allowfullscreen></iframe>",
        ["youtube"],
    ),
    "dailymotion": (
        '<script src="https://geo.dailymotion.com/player/x1.js" data-video="x8abc"></script>'
        '<iframe src="https://geo.dailymotion.com/player/x1.html?video=x8abc"></iframe>',
        ["dailymotion"],
    ),
    "vimeo": ('<iframe src="https://player.vimeo.com/video/123"></iframe>', ["vimeo"]),
    "spotify": ('<iframe src="https://open.spotify.com/embed/track/abc" height="152"></iframe>', ["spotify"]),
    "ausha": ('<iframe src="https://player.ausha.co/?podcastId=abc"></iframe>', ["ausha"]),
    "x": (
        '<blockquote class="message"><p>Bonjour</p></blockquote>'
        '<script async src="https://platform.twitter.com/widgets.js" charset="utf-8"></script>',
        ["platform.twitter"],
    ),
    "instagram": ('<script async src="//www.instagram.com/embed.js"></script>', ["instagram"]),
    "facebook": (
        '<script async defer src="https://connect.facebook.net/fr_FR/sdk.js#xfbml=1&version=v19.0"></script>'
        '<iframe src="https://www.facebook.com/plugins/post.php?href=x" width="500"></iframe>',
        ["facebook"],
    ),
    "tiktok": ('<script async src="https://www.tiktok.com/embed.js"></script>', ["tiktok"]),
    "disqus": (
        "<script>var disqus_config = function () { this.page.url = '/' }; (function () { "
        "var s = document.createElement('script'); s.src = 'https://gazette.disqus.com/embed.js'; "
        "document.body.appendChild(s) })();</script>",
        ["disqus"],
    ),
    "google-maps": (
        '<iframe src="https://www.google.com/maps/embed?pb=!1m18" width="600" height="450"></iframe>'
        '<script async src="https://maps.googleapis.com/maps/api/js?key=K"></script>',
        ["google.com", "googleapis"],
    ),
    "openstreetmap": (
        '<iframe src="https://www.openstreetmap.org/export/embed.html?bbox=1"></iframe>',
        ["openstreetmap"],
    ),
    "datawrapper": ('<iframe src="https://datawrapper.dwcdn.net/abc/1/" title="Crue"></iframe>', ["dwcdn"]),
    "flourish": ('<iframe src="https://flo.uri.sh/visualisation/1/embed"></iframe>', ["flo.uri"]),
    "recaptcha": (
        '<script src="https://www.google.com/recaptcha/api.js" async defer></script>'
        "<script>grecaptcha.ready(function () { grecaptcha.execute('K') });</script>",
        ["google.com", "grecaptcha"],
    ),
    "google-fonts": (
        '<link rel="preconnect" href="https://fonts.gstatic.com" crossorigin>'
        '<link rel="stylesheet" href="https://fonts.googleapis.com/css2?family=Inter">'
        "<style>@import url(https://fonts.googleapis.com/css2?family=Inter);</style>",
        ['href="https://fonts'],
    ),
    "crisp": (
        "<script>window.$crisp = []; window.CRISP_WEBSITE_ID = 'abc'; (function () { "
        "var s = document.createElement('script'); s.src = 'https://client.crisp.chat/l.js'; "
        "document.head.appendChild(s) })();</script>",
        ["crisp"],
    ),
    "hubspot": ('<script async defer src="//js.hs-scripts.com/1.js"></script>', ["hs-scripts"]),
    "poool": (
        '<script async src="https://assets.poool.fr/access.min.js"></script>'
        "<script>Poool.Access.init('abc').createPaywall({target: '#article'})</script>",
        ["poool", "Poool"],
    ),
}
