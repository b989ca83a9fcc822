//! Explanations of workspaces that speak other dialects: the same for all, whatever their owners can say.

use http::Method;
use serde_json::{Value, json};
use signalpost_core::attempt::Verdict;
use signalpost_core::webhook::DisableReason;
use signalpost_engine::webhooks::WebhookChange;
use signalpost_store::Ledger;
use signalpost_store::ledger::{DueOrder, DuePage, Finished};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::sample;

use crate::app::{Answer, App};
use crate::explain::{about, answers};
use crate::opentrain::{Customer as OpenTrain, PARTNER};
use crate::sigmamind::Customer as SigmaMind;

#[test]
fn a_sigmamind_workspace_is_explained_like_any_other() {
    let customer = SigmaMind::new();
    let (app, workspace) = (&customer.app, &customer.workspace);
    let id = |answer: Answer| answer.expect(201).text_at("/webhookId");
    let made = [
        id(customer.create(|_| ())),
        id(customer.create(|body| body["events"] = json!(["conversation_analysed"]))),
        id(customer.create(|body| body["agentId"] = json!("another"))),
        id(customer.create(|_| ())),
        id(customer.create(|_| ())),
        id(customer.create(|_| ())),
    ];
    filter(app, workspace, &made[5], "data.seconds > 60");
    let path = |webhook: &str| format!("/v1/webhooks/{webhook}");
    customer.call_with(Method::PATCH, &path(&made[3]), &json!({"active": false})).expect(200);
    customer.call(Method::DELETE, &path(&made[4])).expect(204);
    let event = json!({"type": "conversation_ended", "subject": "D5D0p7TUs66TTAEAx", "data": {"seconds": 7}});
    let event = app.publish(workspace, &event).text_at("/id");
    let expected = ["sent", "type_not_selected", "subject_differs", "inactive", "deleted", "filtered_out"];
    assert_eq!(answers(app, workspace, &event), expected);
    let credentials = app.operator(Method::GET, &format!("/v1/workspaces/{workspace}/credentials")).send();
    let row = about(app, workspace, &event, &made[4]);
    assert_eq!(row["deleted"]["by"], credentials.json()["data"][0]["id"], "the customer's key is named");
}

/// By the operator: the dialect's API has no word for it.
fn filter(app: &App, workspace: &str, webhook: &str, filter: &str) {
    let view = block_on(app.engine.workspace(workspace)).unwrap();
    let change = WebhookChange { filter: Some(Some(filter.to_owned())), ..WebhookChange::default() };
    block_on(app.engine.update_webhook(&view, webhook, change)).unwrap();
}

/// Switched off by its health: an owner cannot.
fn disable(app: &App, workspace: &str, webhook: &str, reason: DisableReason) {
    let workspace = block_on(app.engine.workspace(workspace)).unwrap().workspace.id;
    let webhook = block_on(app.engine.webhook(workspace, webhook)).unwrap().id;
    let due = block_on(app.store.due_page(DuePage { webhook, limit: 1, order: DueOrder::OLDEST_FIRST }))
        .unwrap()[0];
    let health = Some(sample::health(1, Some(reason)));
    let finished = Finished { health, ..sample::finished(workspace, due, Verdict::GiveUp) };
    block_on(app.store.finish(vec![finished].into())).unwrap();
}

#[test]
fn an_opentrain_account_is_explained_like_any_other() {
    let customer = OpenTrain::new();
    let (app, workspace) = (&customer.app, &customer.workspace);
    let id = |answer: Answer| answer.expect(201).text_at("/webhook/id");
    let off = id(customer.create(|body| body["eventTypes"] = json!(["message.received"])));
    app.publish(
        workspace,
        &json!({"type": "message.received", "resourceId": "r", "data": {"conversationId": "c", "messageId": "m"}}),
    );
    disable(app, workspace, &off, DisableReason::Gone);
    let other = id(customer.create(|body| body["eventTypes"] = json!(["message.received"])));
    let gone = id(customer.create(|_| ()));
    customer.call(Method::DELETE, &format!("/webhooks/{gone}")).expect(200);
    let wants = id(customer.create(|_| ()));
    filter(app, workspace, &id(customer.create(|_| ())), "data.jobId == 'k'");
    let event =
        json!({"type": "proposal.received", "resourceId": "r", "data": {"proposalId": "p", "jobId": "j"}});
    let event = app.publish(workspace, &event).text_at("/id");
    let expected = ["inactive", "type_not_selected", "deleted", "sent", "filtered_out"];
    assert_eq!(answers(app, workspace, &event), expected);
    assert!(about(app, workspace, &event, &off)["because"].as_str().unwrap().contains("410 Gone"));
    assert_eq!(about(app, workspace, &event, &wants)["delivery"]["status"], "pending");
    assert_eq!(about(app, workspace, &event, &other)["deleted"], Value::Null);
}

#[test]
fn an_opentrain_install_is_explained_like_any_other() {
    let customer = OpenTrain::of(App::new(), "opentrain-partner", PARTNER);
    let (app, workspace) = (&customer.app, &customer.workspace);
    let create = |types: Value| {
        let body = json!({"url": "https://example.com/hooks", "eventTypes": types});
        customer
            .call_with(Method::POST, "/webhook-endpoints", &body)
            .expect(201)
            .text_at("/webhookEndpoint/id")
    };
    let made = [
        json!(["contract.started"]),
        json!(["contract.ended"]),
        json!(["contract.started"]),
        json!(["contract.started"]),
        json!(["contract.started"]),
    ]
    .map(create);
    filter(app, workspace, &made[4], "false");
    customer
        .call_with(Method::PATCH, &format!("/webhook-endpoints/{}", made[2]), &json!({"status": "DISABLED"}))
        .expect(200);
    customer.call(Method::DELETE, &format!("/webhook-endpoints/{}", made[3])).expect(200);
    let event = app
        .publish(workspace, &json!({"type": "contract.started", "resourceId": "r", "data": {}}))
        .text_at("/id");
    assert_eq!(
        answers(app, workspace, &event),
        ["sent", "type_not_selected", "inactive", "deleted", "filtered_out"]
    );
}
