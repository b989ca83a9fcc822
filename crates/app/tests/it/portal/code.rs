//! The code that the catalogue shows verifies what the product signs, and nothing else.

mod cases;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};
use signalpost_api::{ShapeValues, built_in_dialects, built_in_shapes};
use signalpost_core::profile::DeliveryProfile;
use signalpost_dash::portal::{Language, Verification};
use signalpost_testkit::TempDir;

use cases::{Case, cases};

// As the catalogue shows them; a test says when they differ.
#[rustfmt::skip]
#[expect(unreachable_pub, reason = "whoever copies it calls it from elsewhere")]
#[path = "written/native.rs"]
mod native;
#[rustfmt::skip]
#[expect(unreachable_pub, reason = "whoever copies it calls it from elsewhere")]
#[path = "written/opentrain.rs"]
mod opentrain;
#[rustfmt::skip]
#[expect(unreachable_pub, reason = "whoever copies it calls it from elsewhere")]
#[path = "written/sigmamind.rs"]
mod sigmamind;
#[rustfmt::skip]
#[expect(unreachable_pub, reason = "whoever copies it calls it from elsewhere")]
#[path = "written/spaaza.rs"]
mod spaaza;

/// Every dialect as it is built in, and shapes that are branded.
fn deliveries() -> Vec<(String, DeliveryProfile)> {
    let built_in = built_in_dialects().into_iter().map(|dialect| (dialect.name, dialect.profile.delivery));
    let branded = |shape: &str, values: Value| {
        let shape = built_in_shapes().into_iter().find(|known| known.name == shape).unwrap();
        let values: ShapeValues = values.as_object().unwrap().clone().into_iter().collect();
        let dialect = shape.dialect(&values).unwrap();
        (format!("a branded {}", shape.name), dialect.profile.delivery)
    };
    let branded = [
        branded("sigmamind", json!({"signature_header": "X-Acme-Signature", "signature_encoding": "base64"})),
        branded("opentrain", json!({"header_prefix": "X-Acme-"})),
        branded("spaaza", json!({"header_prefix": "X-Acme-"})),
    ];
    built_in.chain(branded).collect()
}

/// What the code says of each case, run by `program` as a file with this text below it.
fn asked(program: &str, extension: &str, code: &str, below: &str, cases: &[Case]) -> Vec<bool> {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join(format!("verify.{extension}"));
    fs::write(&file, format!("{code}\n{below}")).unwrap();
    let given = serde_json::to_vec(&as_json(cases)).unwrap();
    let said = run_in(directory.path(), &[program, file.to_str().unwrap()], &given);
    serde_json::from_slice(&said).unwrap()
}

fn as_json(cases: &[Case]) -> Value {
    let one = |case: &Case| {
        let headers: Map<String, Value> =
            case.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({
            "headers": headers, "body": String::from_utf8(case.body.clone()).unwrap(), "secret": case.secret,
            "now": case.now_s
        })
    };
    cases.iter().map(one).collect()
}

fn all_as_expected(program: &str, extension: &str, language: Language, below: impl Fn(bool) -> String) {
    for (dialect, delivery) in deliveries() {
        let code = Verification::of(&delivery).expect("it can be verified").written_in(language);
        let cases = cases(&delivery);
        let is_timed = code.to_lowercase().contains("tolerance");
        let said = asked(program, extension, &code, &below(is_timed), &cases);
        assert_eq!(misjudged(&cases, &said), [""; 0], "{dialect}\n{code}");
    }
}

/// What of these cases was not said as it is.
fn misjudged<'c>(cases: &'c [Case], said: &[bool]) -> Vec<&'c str> {
    assert_eq!(said.len(), cases.len());
    let pairs = cases.iter().zip(said);
    pairs.filter(|(case, said)| case.is_good != **said).map(|(case, _)| case.what.as_str()).collect()
}

#[test]
fn python_believes_what_is_signed_and_nothing_else() {
    all_as_expected("python3", "py", Language::Python, |is_timed| {
        let now = if is_timed { ", now=c['now']" } else { "" };
        format!(
            "import json, sys\nprint(json.dumps([verify(c['headers'], c['body'].encode(), c['secret']{now}) \
             for c in json.load(sys.stdin)]))\n"
        )
    });
}

#[test]
fn node_believes_what_is_signed_and_nothing_else() {
    all_as_expected("node", "js", Language::Node, |is_timed| {
        let now = if is_timed { ", c.now" } else { "" };
        format!(
            "const cases = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));\n\
             console.log(JSON.stringify(cases.map((c) => verify(c.headers, Buffer.from(c.body), c.secret{now}))));\n"
        )
    });
}

#[test]
fn php_believes_what_is_signed_and_nothing_else() {
    all_as_expected("php", "php", Language::Php, |is_timed| {
        let now = if is_timed { ", $c['now']" } else { "" };
        format!(
            "$cases = json_decode(file_get_contents('php://stdin'), true);\n\
             foreach ($cases as &$c) {{\n\
             // As getallheaders() has them.\n\
             $names = array_map(fn ($name) => ucwords($name, '-'), array_keys($c['headers']));\n\
             $c['headers'] = array_combine($names, $c['headers']);\n}}\n\
             echo json_encode(array_map(fn ($c) => verify($c['headers'], $c['body'], $c['secret']{now}), $cases));\n"
        )
    });
}

#[test]
fn rust_believes_what_is_signed_and_nothing_else() {
    let texts = [
        ("native", include_str!("written/native.rs")),
        ("opentrain", include_str!("written/opentrain.rs")),
        ("sigmamind", include_str!("written/sigmamind.rs")),
        ("spaaza", include_str!("written/spaaza.rs")),
    ];
    for (name, text) in texts {
        let (_, delivery) = deliveries().into_iter().find(|(dialect, _)| dialect == name).unwrap();
        let code = Verification::of(&delivery).unwrap().written_in(Language::Rust);
        assert_eq!(code, text, "tests/it/portal/written/{name}.rs");
        let cases = cases(&delivery);
        let ask = |case: &Case| {
            let Case { headers, body, secret, .. } = case;
            let now_s = case.now_s.unsigned_abs();
            match name {
                "native" => native::verify(headers, body, secret, now_s),
                "opentrain" => opentrain::verify(headers, body, secret, now_s),
                "sigmamind" => sigmamind::verify(headers, body, secret),
                _ => spaaza::verify(headers, body, secret),
            }
        };
        let said: Vec<bool> = cases.iter().map(ask).collect();
        assert_eq!(misjudged(&cases, &said), [""; 0], "{name}");
    }
}

/// One program for all of them: each is a package of its own in it, because building one takes seconds.
#[test]
fn go_believes_what_is_signed_and_nothing_else() {
    let directory = TempDir::new().unwrap();
    let at = directory.path();
    fs::write(at.join("go.mod"), "module check\n\ngo 1.18\n").unwrap();
    let (mut packages, mut expected, mut given) = (Vec::new(), Vec::new(), Vec::new());
    for (n, (dialect, delivery)) in deliveries().into_iter().enumerate() {
        let code = Verification::of(&delivery).expect("it can be verified").written_in(Language::Go);
        fs::create_dir(at.join(format!("p{n}"))).unwrap();
        fs::write(at.join(format!("p{n}/verify.go")), &code).unwrap();
        packages.push(code.contains("now time.Time"));
        let cases = cases(&delivery);
        given.push(as_json(&cases));
        expected.push((dialect, cases));
    }
    fs::write(at.join("main.go"), go_program(&packages)).unwrap();
    assert_eq!(run_in(at, &["gofmt", "-l", "."], b""), b"", "it is formatted as Go is");
    run_in(at, &["go", "vet", "./..."], b"");
    let said = run_in(at, &["go", "run", "."], &serde_json::to_vec(&given).unwrap());
    let said: Vec<Vec<bool>> = serde_json::from_slice(&said).unwrap();
    assert_eq!(said.len(), expected.len());
    for ((dialect, cases), said) in expected.iter().zip(said) {
        assert_eq!(misjudged(cases, &said), [""; 0], "{dialect}");
    }
}

/// Asks the package `p0` of the first list of cases, and so on; `is_timed`: which of them want to know the time.
fn go_program(is_timed: &[bool]) -> String {
    let mut imports = String::new();
    let mut calls = String::new();
    for (n, is_timed) in is_timed.iter().enumerate() {
        let now = if *is_timed { ", time.Unix(c.Now, 0)" } else { "" };
        imports.push_str(&format!("\tp{n} \"check/p{n}\"\n"));
        calls.push_str(&format!(
            "\tsaid = append(said, []bool{{}})\n\tfor _, c := range given[{n}] {{\n\
             \t\tsaid[{n}] = append(said[{n}], p{n}.Verify(c.headers(), []byte(c.Body), c.Secret{now}))\n\t}}\n"
        ));
    }
    format!(
        "package main\n\nimport (\n{imports}\t\"encoding/json\"\n\t\"net/http\"\n\t\"os\"\n\t\"time\"\n)\n\n{GO_CASE}\n\
         func main() {{\n\tvar given [][]oneCase\n\
         \tif err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {{\n\t\tpanic(err)\n\t}}\n\
         \tsaid := [][]bool{{}}\n{calls}\
         \tif err := json.NewEncoder(os.Stdout).Encode(said); err != nil {{\n\t\tpanic(err)\n\t}}\n}}\n"
    )
}

const GO_CASE: &str = "type oneCase struct {
\tHeaders map[string]string
\tBody    string
\tSecret  string
\tNow     int64
}

func (c oneCase) headers() http.Header {
\theaders := http.Header{}
\tfor name, value := range c.Headers {
\t\theaders.Set(name, value)
\t}
\treturn headers
}
";

/// What it prints; it has to succeed.
fn run_in(directory: &Path, command: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .current_dir(directory)
        .envs([("GOPROXY", "off"), ("GOFLAGS", ""), ("CGO_ENABLED", "0")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", command[0]));
    child.stdin.take().unwrap().write_all(input).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{command:?} succeeds");
    done.stdout
}
