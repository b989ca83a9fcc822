//! An OpenAPI document as a page: what can be called, how, and what comes back.

use http::StatusCode;
use serde_json::{Map, Value};

use super::html::Html;
use super::{curl, schema};

/// The page's content. `errors` is where codes are explained, for documents whose errors carry codes.
pub(super) fn content(document: &Value, openapi: &str, errors: Option<&str>) -> String {
    let mut html = Html::default();
    let info = &document["info"];
    html.element("h1", info["title"].as_str().unwrap_or_default());
    html.raw("<p class=\"muted\">Version ").text(info["version"].as_str().unwrap_or_default()).raw(" · ");
    html.link(openapi, "OpenAPI document").raw("</p>\n");
    html.paragraphs(info["description"].as_str().unwrap_or_default());
    let calls = calls(document);
    let tags = document["tags"].as_array().map_or(&[][..], Vec::as_slice);
    index(tags, &calls, &mut html);
    for tag in tags {
        let name = tag["name"].as_str().unwrap_or_default();
        html.open("h2", &[("id", &slug(name))]).text(name).raw("</h2>\n");
        html.paragraphs(tag["description"].as_str().unwrap_or_default());
        for call in calls.iter().filter(|call| call.operation["tags"][0] == name) {
            operation(call, document, errors, &mut html);
        }
    }
    html.raw("<h2 id=\"schemas\">Schemas</h2>\n");
    schema::all(document["components"]["schemas"].as_object().unwrap_or(&Map::new()), &mut html);
    html.finish()
}

struct Call<'a> {
    method: &'a str,
    path: &'a str,
    operation: &'a Value,
}

fn calls(document: &Value) -> Vec<Call<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let calls = paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| Call { method, path, operation })
    });
    calls.collect()
}

fn slug(text: &str) -> String {
    text.to_lowercase().replace(' ', "-")
}

fn id<'a>(call: &Call<'a>) -> &'a str {
    call.operation["operationId"].as_str().unwrap_or_default()
}

fn index(tags: &[Value], calls: &[Call<'_>], html: &mut Html) {
    for tag in tags {
        html.raw("<h4>").text(tag["name"].as_str().unwrap_or_default()).raw("</h4>\n<ul>\n");
        for call in calls.iter().filter(|call| call.operation["tags"][0] == tag["name"]) {
            html.raw("<li>")
                .link(&format!("#{}", id(call)), call.operation["summary"].as_str().unwrap_or_default());
            html.raw(" ")
                .element("code", &format!("{} {}", call.method.to_ascii_uppercase(), call.path))
                .raw("\n");
        }
        html.raw("</ul>\n");
    }
}

fn operation(call: &Call<'_>, document: &Value, errors: Option<&str>, html: &mut Html) {
    let described = call.operation;
    html.open("h3", &[("id", id(call))])
        .text(described["summary"].as_str().unwrap_or_default())
        .raw("</h3>\n");
    html.raw("<p><code><span class=\"method\">").text(&call.method.to_ascii_uppercase()).raw("</span>");
    html.text(call.path).raw("</code></p>\n");
    html.paragraphs(described["description"].as_str().unwrap_or_default());
    parameters(described, html);
    let contents = described["requestBody"]["content"].as_object();
    for (media_type, content) in contents.into_iter().flatten() {
        html.raw("<p>Body: ");
        schema::kind(&content["schema"], html);
        html.raw(" in ").element("code", media_type).raw("</p>\n");
    }
    let command = curl::of(call.method, call.path, described, document);
    html.raw("<pre tabindex=\"0\">").text(&command).raw("</pre>\n");
    answers(described, document, errors, html);
}

fn parameters(operation: &Value, html: &mut Html) {
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    let own: Vec<&Value> = parameters.iter().filter(|parameter| parameter.get("$ref").is_none()).collect();
    if own.is_empty() {
        return;
    }
    html.raw("<table><thead><tr><th>Parameter<th>Type<th>Meaning</thead><tbody>\n");
    for parameter in own {
        html.raw("<tr><td>").element("code", parameter["name"].as_str().unwrap_or_default());
        html.raw(" <span class=\"muted\">")
            .text(parameter["in"].as_str().unwrap_or_default())
            .raw("</span><td>");
        schema::kind(&parameter["schema"], html);
        html.raw("<td>").line(parameter["description"].as_str().unwrap_or_default()).raw("\n");
    }
    html.raw("</tbody></table>\n");
}

/// Successes in full; refusals in one line, for they are the same everywhere.
fn answers(operation: &Value, document: &Value, errors: Option<&str>, html: &mut Html) {
    let responses = operation["responses"].as_object();
    let (refusals, successes): (Vec<_>, Vec<_>) =
        responses.into_iter().flatten().partition(|(_, response)| response.get("$ref").is_some());
    for (status, response) in successes {
        success(status, response, html);
    }
    if refusals.is_empty() {
        return;
    }
    html.raw("<p class=\"muted\">Errors: ");
    for (position, (status, response)) in refusals.into_iter().enumerate() {
        html.raw(if position == 0 { "" } else { ", " }).text(status);
        let name = response["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        match errors {
            Some(page) => name.split('.').for_each(|code| {
                html.raw(" ").link(&format!("{page}#{code}"), code);
            }),
            None => {
                let about = document["components"]["responses"][name]["description"].as_str();
                html.raw(" ").line(&about.unwrap_or_default().replace("\n\n", " "));
            }
        }
    }
    html.raw("</p>\n");
}

fn success(status: &str, response: &Value, html: &mut Html) {
    let reason = status.parse::<StatusCode>().ok().and_then(|status| status.canonical_reason());
    html.raw("<p>").element("strong", &format!("{status} {}", reason.unwrap_or_default())).raw(" ");
    // A vendor's document may repeat the reason phrase.
    let about = response["description"].as_str().filter(|about| Some(*about) != reason);
    html.line(about.unwrap_or_default());
    let Some((_, content)) = response["content"].as_object().and_then(|contents| contents.iter().next())
    else {
        html.raw("</p>\n");
        return;
    };
    html.raw(": ");
    schema::kind(&content["schema"], html);
    html.raw("</p>\n");
    if let Some(example) = content.get("example") {
        let example = serde_json::to_string_pretty(example).expect("a JSON value always serialises");
        html.raw("<details><summary>Example</summary><pre tabindex=\"0\">")
            .text(&example)
            .raw("</pre></details>\n");
    }
}
