//! What pages say, and that nothing a stranger wrote becomes a part of them.

use std::time::Instant;

use serde_json::json;
use signalpost_testkit::{Request, wait_for};

use super::browser::form_of;
use super::{ANSWER, Stage};
use crate::PATIENCE;

/// As a support person has it: from the start to the reason.
#[test]
fn why_an_event_never_came_is_two_pages_from_the_start() {
    let mut stage = Stage::set();
    let (failing, unsigned) = (stage.webhook("/500", &json!({})), stage.webhook("/401", &json!({})));
    let blocked = json!({"url": "http://10.0.0.1/", "events": ["*"]});
    let blocked = stage.operator.create_webhook(&stage.workspace, &blocked).unwrap().0;
    let filtered = stage.webhook("/200", &json!({"filter": "data.amount > 100.0"}));
    let paused = stage.webhook("/200", &json!({}));
    let pause = format!("/v1/workspaces/{}/webhooks/{paused}", stage.workspace);
    let paused_now =
        stage.operator.send(Request::new("PATCH", &pause).json(&json!({"active": false}))).unwrap();
    assert!(paused_now.status == 200, "{}", paused_now.text());
    let event = stage.publish(&json!({"amount": 7}));
    let mut browser = stage.root();
    let found = browser.get(&format!("/dash/find?workspace={}&q={event}", stage.workspace));
    let to_event = found.header("location").unwrap().to_owned();
    assert_eq!(to_event, format!("/dash/workspaces/{}/events/{event}", stage.workspace));
    let deliveries =
        [(failing, "own code failed"), (unsigned, "does not believe"), (blocked, "never connected to")];
    let deliveries = deliveries.map(|(webhook, words)| (stage.delivery(&event, &webhook, 1), words));
    let page = browser.page(&to_event);
    assert!(page.contains("filter refuses the event") && page.contains(&filtered));
    assert!(page.contains(&paused));
    for (delivery, words) in deliveries {
        assert!(page.contains(&format!("href=\"/dash/deliveries/{delivery}\"")));
        let said = browser.page(&format!("/dash/deliveries/{delivery}"));
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn nothing_that_strangers_write_becomes_markup() {
    let mut stage = Stage::set();
    let hostile = "<img src=x onerror=alert(1)>";
    let webhook = stage.webhook("/500?%3Cscript%3E", &json!({"name": hostile}));
    let event = stage.publish(&json!({"note": "<script>alert('data')</script>", "quote": "\"><b>"}));
    let delivery = stage.delivery(&event, &webhook, 1);
    let mut browser = stage.root();
    let of = format!("/dash/workspaces/{}", stage.workspace);
    let pages = [
        "/dash/workspaces".to_owned(),
        of.clone(),
        format!("{of}/events"),
        format!("{of}/events?type=%22%3E%3Cscript%3E"),
        format!("{of}/events/{event}"),
        format!("{of}/deliveries"),
        format!("{of}/webhooks/{webhook}"),
        format!("/dash/deliveries/{delivery}"),
        "/dash/find?q=%22%3E%3Cscript%3Ealert(1)".to_owned(),
    ];
    for page in pages {
        let text = browser.page(&page);
        let (_, body) = text.split_once("</head>").unwrap();
        assert!(
            !body.contains("<script") && !body.contains("<img") && !body.contains("<b>"),
            "{page}: {body}"
        );
    }
    let text = browser.page(&format!("/dash/deliveries/{delivery}"));
    assert!(text.contains(&String::from_utf8_lossy(ANSWER).replace('<', "&lt;").replace('>', "&gt;")));
}

#[test]
fn pages_ask_no_other_host_and_may_run_our_script_alone() {
    let stage = Stage::set();
    let mut browser = stage.root();
    let answered = browser.get("/dash");
    let policy = answered.header("content-security-policy").unwrap();
    for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"));
    assert_eq!(answered.header("cache-control"), Some("no-store"));
    let text = answered.text();
    assert!(!text.contains("http://") && !text.contains("https://"), "{text}");
    let assets = text.split(['"', '>']).filter(|part| part.starts_with("/dash/assets/"));
    let assets: Vec<String> = assets.map(str::to_owned).collect();
    assert_eq!(assets.len(), 3, "{assets:?}");
    for asset in assets {
        let answered = browser.get(&asset);
        assert_eq!(answered.status, 200, "{asset}");
        assert!(answered.header("cache-control").unwrap().contains("immutable"));
    }
    assert_eq!(browser.get("/dash/assets/style-of-yore.css").status, 404);
    assert_eq!(browser.get("/").header("location"), Some("/dash"));
    assert_eq!(browser.get("/dash/").header("location"), Some("/dash"));
}

#[test]
fn what_is_not_there_and_what_is_wrong_in_an_address_is_said_on_a_page() {
    let mut stage = Stage::set();
    stage.webhook("/200", &json!({}));
    let mut browser = stage.root();
    let of = format!("/dash/workspaces/{}", stage.workspace);
    let table = [
        ("/dash/nothing".to_owned(), 404, "Not found"),
        ("/dash/workspaces/nobody".to_owned(), 404, "Not found"),
        (format!("{of}/webhooks/nobody"), 404, "Not found"),
        (format!("{of}/events/nobody"), 404, "Not found"),
        ("/dash/deliveries/nobody".to_owned(), 404, "Not found"),
        (format!("{of}/events?before=1"), 400, "before"),
        (format!("{of}?before=x"), 400, "before"),
        ("/dash/workspaces?cell=9".to_owned(), 400, "cell"),
        ("/dash/workspaces?after=x".to_owned(), 400, "after"),
        (format!("{of}/deliveries?status=failed&status=pending"), 400, "duplicate field"),
        ("/dash/workspaces/%ff".to_owned(), 404, "Not found"),
        ("/dash/deliveries/x/resend".to_owned(), 405, "Not so"),
    ];
    for (page, status, words) in table {
        let answered = browser.get(&page);
        assert_eq!(answered.status, status, "{page}");
        assert!(answered.text().contains(words), "{page}: {}", answered.text());
        assert!(answered.text().contains("To the overview"), "{page}: it is a page as others");
    }
}

/// What was filled in beside it stays, and no list is shown that would pass for what was asked for.
#[test]
fn a_filter_that_is_wrong_is_said_at_its_field() {
    let mut stage = Stage::set();
    let webhook = stage.webhook("/200", &json!({}));
    let event = stage.publish(&json!({}));
    let delivery = stage.delivery(&event, &webhook, 1);
    let mut browser = stage.root();
    let of = format!("/dash/workspaces/{}/deliveries", stage.workspace);
    for (field, value, words) in [
        ("status", "lost", "must be pending"),
        ("webhook", "nobody", "names no webhook"),
        ("event", "nobody", "names no event"),
        ("answer", "gone", "must be a status"),
        ("since", "yesterday", "must be an instant"),
        ("until", "2026-13-01", "must be an instant"),
        ("until=2026-05-05&since", "2026-05-05", "must lie before the end"),
        ("before", "1", "must be the id of a delivery"),
    ] {
        let answered = browser.get(&format!("{of}?type=order.paid&{field}={value}"));
        let text = answered.text();
        assert_eq!(answered.status, 400, "{field}: {text}");
        assert!(text.contains(words) && text.contains("nothing was looked for"), "{field}: {text}");
        assert!(text.contains("value=\"order.paid\"") && text.contains("Filter</button>"), "{field}: {text}");
        assert!(!text.contains(&delivery), "{field}: {text}");
    }
    let wrong = browser.get(&format!("{of}?since=yesterday&until=2026-05-05")).text();
    assert!(
        wrong.contains("value=\"yesterday\"") && wrong.contains("aria-describedby=\"n-since\""),
        "{wrong}"
    );
    assert!(wrong.contains("id=\"n-since\"") && !wrong.contains("id=\"n-until\""), "{wrong}");
}

#[test]
fn a_form_that_cannot_be_read_is_refused_by_a_page() {
    let stage = Stage::set();
    let mut browser = stage.root();
    let json = Request::new("POST", "/dash/operators").json(&json!({"proof": "x"}));
    let mut bytes = form_of("/dash/operators", "");
    bytes.body = b"proof=\xff\xfe&username=a".to_vec();
    let table = [
        (json, 415),
        (bytes, 403),
        (form_of("/dash/operators", &"a=b&".repeat(20_000)), 413),
        (form_of("/dash/operators", "proof=a&proof=b"), 400),
        (form_of("/dash/operators", ""), 400),
    ];
    for (request, status) in table {
        let answered = browser.send(request);
        assert_eq!(answered.status, status, "{}", answered.text());
        assert!(answered.text().contains("To the overview"), "{}", answered.text());
    }
}

#[test]
fn lists_go_on_from_page_to_page_without_a_gap_between_the_instants_asked_for() {
    let mut stage = Stage::set();
    let webhook = stage.webhook("/200", &json!({}));
    let mut events = Vec::new();
    for number in 0..120 {
        if [20, 100].contains(&number) {
            // Ids may be a little ahead of the clock.
            let since = Instant::now();
            wait_for("the clock to go on", PATIENCE, || since.elapsed().as_millis() > 2).unwrap();
        }
        events.push(stage.publish(&json!({"number": number})));
    }
    stage.delivery(&events[119], &webhook, 1);
    let mut accepted_at = |number: usize| {
        let event = format!("/v1/workspaces/{}/events/{}", stage.workspace, events[number]);
        stage.operator.get(&event).unwrap()["accepted_at"].as_str().unwrap().to_owned()
    };
    let between = format!("deliveries?since={}&until={}", accepted_at(20), accepted_at(100));
    let mut browser = stage.root();
    for (list, expected) in
        [("events", &events[..]), ("deliveries", &events[..]), (between.as_str(), &events[20..100])]
    {
        let mut page = format!("/dash/workspaces/{}/{list}", stage.workspace);
        let (first, mut seen) = (page.replace(':', "%3A"), Vec::new());
        loop {
            let text = browser.page(&page);
            let newest = link(&text, "first");
            assert_eq!(newest, (!seen.is_empty()).then(|| first.clone()), "{page}");
            let (_, rows) = text.split_once("<tbody>").expect("there are rows");
            let (rows, _) = rows.split_once("</tbody>").unwrap();
            seen.extend(rows.split("/events/").skip(1).map(|part| part[..20].to_owned()));
            let Some(next) = link(&text, "next") else { break };
            page = next;
        }
        assert!(seen.iter().eq(expected.iter().rev()), "{list}: {seen:?}");
    }
}

/// Where a page says that the first, or the next one is.
fn link(page: &str, rel: &str) -> Option<String> {
    let (before, _) = page.split_once(&format!("\" rel=\"{rel}\""))?;
    Some(before.rsplit_once("href=\"")?.1.replace("&amp;", "&"))
}

#[test]
fn an_address_that_says_how_long_ago_leads_to_one_that_stays() {
    let stage = Stage::set();
    let mut browser = stage.root();
    let of = format!("/dash/workspaces/{}/deliveries", stage.workspace);
    let answered = browser.get(&format!("{of}?status=failed&since=1d&until=15m"));
    let to = answered.header("location").unwrap_or_default().to_owned();
    assert_eq!(answered.status, 303);
    let instants =
        to.strip_prefix(&format!("{of}?status=failed&since=20")).and_then(|to| to.split_once("Z&until=20"));
    assert!(instants.is_some_and(|(since, until)| since < until && until.ends_with('Z')), "{to}");
    assert!(browser.page(&to).contains("No delivery fits"));
}

#[test]
fn deliveries_are_found_by_what_they_were_answered_their_type_and_their_time() {
    let mut stage = Stage::set();
    let (good, bad) = (stage.webhook("/200", &json!({})), stage.webhook("/503", &json!({})));
    let event = stage.publish(&json!({}));
    let (delivered, failing) = (stage.delivery(&event, &good, 1), stage.delivery(&event, &bad, 1));
    let mut browser = stage.root();
    let mut found = |filter: &str| {
        let page = browser.page(&format!("/dash/workspaces/{}/deliveries?{filter}", stage.workspace));
        [&delivered, &failing].map(|id| page.contains(&format!("/dash/deliveries/{id}")))
    };
    for (filter, expected) in [
        ("", [true, true]),
        ("answer=503", [false, true]),
        ("answer=5xx", [false, true]),
        ("answer=2xx&type=order.paid", [true, false]),
        ("answer=timeout", [false, false]),
        ("type=order.paid", [true, true]),
        ("type=order", [false, false]),
        ("since=2001-01-01&until=2100-01-01T00:00Z", [true, true]),
        ("until=2001-01-01", [false, false]),
        ("since=2100-01-01", [false, false]),
        ("since=2100-01-01&answer=503", [false, false]),
        ("status=delivered&answer=503", [false, false]),
    ] {
        assert_eq!(found(filter), expected, "{filter}");
    }
}

/// Nobody is told to wait for what does not come.
#[test]
fn a_delivery_says_whether_it_goes_on_by_itself() {
    let mut stage = Stage::set();
    let mut root = stage.root();
    let dropped = stage.webhook("/503", &json!({}));
    let event = stage.publish(&json!({}));
    let delivery = format!("/dash/deliveries/{}", stage.delivery(&event, &dropped, 1));
    let page = root.page(&delivery);
    assert!(page.contains("The next attempt goes out") && page.contains("go on by themselves"), "{page}");
    let proof = format!("proof={}", root.proof());
    let native = format!("/dash/workspaces/{}", stage.workspace);
    let off = format!("{proof}&to=off&drop=yes");
    assert_eq!(root.post(&format!("{native}/webhooks/{dropped}/switch"), &off).status, 303);
    let page = root.page(&delivery);
    assert!(page.contains("when its webhook was disabled") && page.contains("can be sent again"), "{page}");
    // In this dialect what is pending waits.
    let policy = json!({"retry_schedule_s": [3_600]});
    let holds = json!({"dialect": "opentrain-partner", "name": "O", "policy": policy});
    stage.workspace = stage.operator.create_workspace(&holds).unwrap();
    let of = format!("/dash/workspaces/{}", stage.workspace);
    let url = stage.receiver.url("/503").replace(':', "%3A").replace('/', "%2F");
    let new = format!("{proof}&url={url}&event%3Acontract.started=on");
    let made = root.post(&format!("{of}/webhooks"), &new);
    assert_eq!(made.status, 303, "{}", made.text());
    let webhook = made.header("location").unwrap().rsplit('/').next().unwrap().to_owned();
    let event = json!({"type": "contract.started", "resourceId": "r", "data": {}});
    let event = stage.operator.publish(&stage.workspace, &event).unwrap()["id"].as_str().unwrap().to_owned();
    let delivery = format!("/dash/deliveries/{}", stage.delivery(&event, &webhook, 1));
    let list = format!("{of}/deliveries");
    assert!(root.page(&delivery).contains("go on by themselves"));
    assert!(!root.page(&list).contains("waits: webhook paused"));
    assert_eq!(root.post(&format!("{of}/webhooks/{webhook}/switch"), &off).status, 303);
    let page = root.page(&delivery);
    assert!(
        page.contains("Waits: the webhook is paused. ") && page.contains("once the webhook is on"),
        "{page}"
    );
    assert!(root.page(&list).contains("waits: webhook paused"));
}

#[test]
fn where_nothing_is_the_next_step_is_one_that_the_reader_has() {
    let mut stage = Stage::set();
    let (_, viewer) = stage.key(&json!({"name": "v", "scopes": ["read"]}));
    let own = format!("/dash/workspaces/{}", stage.workspace);
    let (mut root, mut viewer) = (stage.root(), stage.signed_in(&viewer));
    let (admins, viewers) = (root.page(&own), viewer.page(&own));
    assert!(
        admins.contains("and you by “New webhook” above") && admins.contains(">New webhook</a>"),
        "{admins}"
    );
    assert!(viewers.contains("and admins here") && !viewers.contains("New webhook"), "{viewers}");
    assert!(root.page("/dash/find?q=none").contains("no workspace the name"));
    assert!(root.page("/dash/find").contains("Type the id of anything"));
}
