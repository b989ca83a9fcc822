//! What has happened of late: on the start, and on the page of a webhook. It outlives the process that has seen it.

use serde_json::json;

use super::Stage;
use super::browser::Browser;
use crate::PATIENCE;

/// Two workspaces, with a webhook that takes everything, and one each that takes nothing.
struct Scene {
    stage: Stage,
    good: String,
    bad: String,
    other: String,
}

impl Scene {
    /// Three events went to each webhook; then the process was stopped and started again.
    fn set() -> Self {
        let mut stage = Stage::set();
        let (good, bad) = (stage.webhook("/200", &json!({})), stage.webhook("/500", &json!({})));
        let policy = json!({"retry_schedule_s": [3_600]});
        let body = json!({"dialect": "native", "name": "Other", "policy": policy});
        let other = stage.operator.create_workspace(&body).unwrap();
        let first = std::mem::replace(&mut stage.workspace, other);
        let others = stage.webhook("/503", &json!({}));
        for number in 0..3 {
            let event = stage.publish(&json!({"number": number}));
            stage.delivery(&event, &others, 1);
        }
        let other = std::mem::replace(&mut stage.workspace, first);
        for number in 0..3 {
            let event = stage.publish(&json!({"number": number}));
            stage.delivery(&event, &good, 1);
            stage.delivery(&event, &bad, 1);
        }
        assert!(stage.server.stop(PATIENCE).unwrap().success());
        stage.server.launch().unwrap();
        stage.server.wait_ready(PATIENCE).unwrap();
        stage.operator = stage.server.operator();
        Self { stage, good, bad, other }
    }
}

/// What stands behind a term.
fn fact<'p>(page: &'p str, term: &str) -> &'p str {
    let (_, rest) =
        page.split_once(&format!("<dt>{term}</dt><dd>")).unwrap_or_else(|| panic!("{term}: {page}"));
    rest.split_once("</dd>").unwrap().0
}

fn failing(page: &str) -> Vec<&str> {
    let (_, table) = page.split_once("Webhooks that failed most").expect("the table");
    let (rows, _) = table.split_once("</tbody>").expect("rows");
    rows.split("class=\"url\"").skip(1).collect()
}

#[test]
fn the_start_says_what_happened_and_who_fails() {
    let scene = Scene::set();
    let page = scene.stage.root().page("/dash");
    assert_eq!(fact(&page, "Success"), "33.3 % of 9 attempts");
    assert_eq!(fact(&page, "Events"), "0.1 a minute");
    for title in ["Deliveries per minute", "From accepted to delivered", "Age of the backlog"] {
        assert!(page.contains(&format!("aria-label=\"{title}: ")), "{title}: {page}");
    }
    assert!(!page.contains(" style="), "nothing that the policy of these pages forbids");
    assert!(page.contains("<summary>The same in numbers</summary>"), "{page}");
    let (_, numbers) = page.split_once("The same in numbers").unwrap();
    let delivered: u64 = numbers
        .split("<tr>")
        .skip(2)
        .take_while(|row| !row.contains("class=\"url\""))
        .filter_map(|row| row.split("<td class=\"number\">").nth(1)?.split('<').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(delivered, 3, "{numbers}");
    let failing = failing(&page);
    assert_eq!(failing.len(), 2, "{failing:?}");
    let bad = format!("/workspaces/{}/webhooks/{}\"", scene.stage.workspace, scene.bad);
    assert!(failing.iter().any(|row| row.contains(&bad)), "{failing:?}");
}

#[test]
fn who_is_bound_to_a_workspace_sees_its_figures_alone() {
    let mut scene = Scene::set();
    let body = json!({"scopes": ["read"], "workspace": scene.other});
    let (_, secret) = scene.stage.key(&body);
    let page = scene.stage.signed_in(&secret).page("/dash");
    assert_eq!((fact(&page, "Success"), fact(&page, "Events")), ("0.0 % of 3 attempts", "3"));
    assert!(page.contains("Deliveries per hour") && !page.contains("Age of the backlog"), "{page}");
    let failing = failing(&page);
    assert_eq!(failing.len(), 1, "{failing:?}");
    assert!(failing[0].contains(&scene.other) && !page.contains(&scene.stage.workspace), "{page}");
}

#[test]
fn a_webhook_says_how_many_attempts_succeeded_of_late() {
    let scene = Scene::set();
    let mut browser: Browser = scene.stage.root();
    for (webhook, success) in [(&scene.good, "100.0 % of 3 attempts"), (&scene.bad, "0.0 % of 3 attempts")] {
        let page = browser.page(&format!("/dash/workspaces/{}/webhooks/{webhook}", scene.stage.workspace));
        assert_eq!(fact(&page, "Success in the last 24 hours"), success);
    }
}
