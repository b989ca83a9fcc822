//! As much of a browser as reading pages and sending their forms takes.

use std::net::SocketAddr;

use signalpost_testkit::{HttpClient, Request, Response};

use crate::PATIENCE;

pub(crate) struct Browser {
    client: HttpClient,
    pub(crate) cookie: Option<String>,
}

impl Browser {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { client: HttpClient::new(address, PATIENCE), cookie: None }
    }

    pub(crate) fn get(&mut self, path: &str) -> Response {
        self.send(Request::new("GET", path))
    }

    /// The text of a page that is there.
    pub(crate) fn page(&mut self, path: &str) -> String {
        let response = self.get(path);
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        response.text()
    }

    pub(crate) fn post(&mut self, path: &str, form: &str) -> Response {
        self.send(form_of(path, form))
    }

    pub(crate) fn send(&mut self, request: Request) -> Response {
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        };
        let response = self.client.send(&request).unwrap();
        if let Some(set) = response.header("set-cookie") {
            self.cookie = Some(set.split(';').next().unwrap().to_owned());
        }
        response
    }

    pub(crate) fn sign_in(&mut self, key: &str) {
        let answered = self.post("/dash/sign-in", &format!("key={key}"));
        assert_eq!(
            (answered.status, answered.header("location")),
            (303, Some("/dash")),
            "{}",
            answered.text()
        );
    }

    /// What the forms of this session carry.
    pub(crate) fn proof(&mut self) -> String {
        self.proof_on("/dash")
    }

    pub(crate) fn proof_on(&mut self, path: &str) -> String {
        let page = self.page(path);
        let (_, after) = page.split_once("name=\"proof\" value=\"").expect("every page has a form");
        after.split('"').next().unwrap().to_owned()
    }
}

pub(crate) fn form_of(path: &str, form: &str) -> Request {
    let mut request = Request::new("POST", path).header("content-type", "application/x-www-form-urlencoded");
    request.body = form.as_bytes().to_vec();
    request
}
