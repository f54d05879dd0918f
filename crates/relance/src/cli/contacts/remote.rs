//! Imports and exports through a running server: the file goes there, and the work is done there.

use std::path::Path;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use crate::import::job::Counts;
use crate::import::source::Told;

use super::super::target::Server;
use super::super::{Done, Failure, print_line};
use super::{bar, example_line, summary};

/// How often the server is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// What is asked of a server.
pub struct Order<'a> {
    /// The file, unless an import goes on.
    pub file: Option<&'a Path>,
    /// The import that goes on.
    pub resume: Option<&'a str>,
    /// What the columns mean.
    pub mapping: Option<String>,
    /// What is told of the file.
    pub told: Told,
    /// Nothing is to be changed.
    pub dry_run: bool,
    /// Where rows that could not be used go.
    pub errors: Option<&'a Path>,
    /// JSON is printed.
    pub json: bool,
}

struct Api<'a> {
    server: &'a Server<'a>,
    client: Client,
}

impl Api<'_> {
    fn url(&self, path: &str, pairs: &[(&str, &str)]) -> Result<reqwest::Url, Failure> {
        let url = format!("{}{path}", self.server.url());
        reqwest::Url::parse_with_params(&url, pairs).map_err(Failure::cannot)
    }

    /// Asks, and turns a refusal into its reason.
    async fn ask(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = request
            .bearer_auth(self.server.token())
            .send()
            .await
            .map_err(|error| {
                Failure::cannot(format!("cannot reach {}: {error}", self.server.url()))
            })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let problem: Value = answer.json().await.unwrap_or_default();
        let detail = problem["detail"]
            .as_str()
            .unwrap_or("the server gave no reason");
        Err(Failure::cannot(format!(
            "{detail}\nthe server refused ({status})"
        )))
    }

    async fn json(&self, request: RequestBuilder) -> Result<Value, Failure> {
        self.ask(request)
            .await?
            .json()
            .await
            .map_err(Failure::cannot)
    }

    /// Writes an answer to a file, a piece at a time.
    async fn save(&self, request: RequestBuilder, path: &Path) -> Done {
        let cannot = |error| Failure::cannot(format!("cannot write {}: {error}", path.display()));
        let mut answer = self.ask(request).await?;
        let mut file = tokio::fs::File::create(path).await.map_err(cannot)?;
        while let Some(piece) = answer.chunk().await.map_err(Failure::cannot)? {
            file.write_all(&piece).await.map_err(cannot)?;
        }
        file.flush().await.map_err(cannot)
    }
}

fn run<T>(
    server: &Server<'_>,
    work: impl AsyncFnOnce(Api<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::cannot)?;
    runtime.block_on(async {
        // Files take as long as they take.
        let client = crate::client_without_timeout().map_err(Failure::cannot)?;
        work(Api { server, client }).await
    })
}

/// Sends a file, or goes on with an import, and watches until it has ended.
pub fn import(server: &Server<'_>, order: &Order<'_>) -> Done {
    run(server, async |api| {
        let id = match (order.resume, order.file) {
            (Some(id), _) => id.to_owned(),
            (None, Some(file)) => upload(&api, file, &order.told).await?,
            (None, None) => return Err(Failure::Usage("name the file".to_owned())),
        };
        let mapping = order.mapping.clone().unwrap_or_default();
        if order.dry_run {
            return dry_run(&api, &id, mapping, order.json).await;
        }
        let url = api.url(&format!("/api/v1/imports/{id}/start"), &[])?;
        api.json(api.client.post(url).body(mapping)).await?;
        eprintln!("import {id} runs on the server");
        watch(&api, &id, order).await
    })
}

async fn upload(api: &Api<'_>, file: &Path, told: &Told) -> Result<String, Failure> {
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut pairs = vec![("name", name.as_str())];
    if let Some(charset) = told.encoding {
        pairs.push(("encoding", charset.word()));
    }
    if let Some(delimiter) = told.delimiter {
        pairs.push((
            "delimiter",
            relance_wire::table::guess::delimiter_word(delimiter),
        ));
    }
    let header = told.header.map(|header| header.to_string());
    if let Some(header) = &header {
        pairs.push(("header", header));
    }
    if let Some(sheet) = &told.sheet {
        pairs.push(("sheet", sheet));
    }
    let url = api.url("/api/v1/imports", &pairs)?;
    let body = tokio::fs::File::open(file)
        .await
        .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", file.display())))?;
    let made = api.json(api.client.post(url).body(body)).await?;
    match made["id"].as_str() {
        Some(id) => Ok(id.to_owned()),
        None => Err(Failure::cannot("the server gave no id")),
    }
}

async fn dry_run(api: &Api<'_>, id: &str, mapping: String, json: bool) -> Done {
    let url = api.url(&format!("/api/v1/imports/{id}/dry-run"), &[])?;
    let told = api.json(api.client.post(url).body(mapping)).await;
    // Nothing is left of it on the server.
    let url = api.url(&format!("/api/v1/imports/{id}"), &[])?;
    let removed = api.ask(api.client.delete(url)).await;
    let told = told?;
    removed?;
    let counts: Counts = serde_json::from_value(told["counts"].clone()).map_err(Failure::cannot)?;
    if json {
        print_line(&told.to_string())?;
    } else {
        for example in told["examples"].as_array().into_iter().flatten() {
            print_line(&example_line(example))?;
        }
        eprintln!("{}", summary(&counts, true));
    }
    if counts.errors > 0 {
        return Err(Failure::Findings);
    }
    Ok(())
}

async fn watch(api: &Api<'_>, id: &str, order: &Order<'_>) -> Done {
    let url = api.url(&format!("/api/v1/imports/{id}"), &[])?;
    let bar = bar(0);
    let job = loop {
        let job = api.json(api.client.get(url.clone())).await?;
        bar.set_length(job["bytes"]["of"].as_u64().unwrap_or_default());
        bar.set_position(job["bytes"]["read"].as_u64().unwrap_or_default());
        bar.set_message(format!(
            "{} rows, {} with errors",
            job["counts"]["rows"], job["counts"]["errors"]
        ));
        if job["state"] != "running" {
            break job;
        }
        tokio::time::sleep(ASK_EVERY).await;
    };
    bar.finish_and_clear();
    let counts: Counts = serde_json::from_value(job["counts"].clone()).map_err(Failure::cannot)?;
    if order.json {
        print_line(&job.to_string())?;
    } else {
        eprintln!("{}", summary(&counts, false));
    }
    if let Some(path) = order.errors {
        let url = api.url(&format!("/api/v1/imports/{id}/errors.csv"), &[])?;
        api.save(api.client.get(url), path).await?;
    }
    match job["state"].as_str() {
        Some("done") if counts.errors == 0 => Ok(()),
        Some("done") => Err(Failure::Findings),
        Some(_) | None => {
            let problem = job["problem"].as_str().unwrap_or("it was stopped");
            Err(Failure::cannot(format!(
                "the import did not end: {problem}"
            )))
        }
    }
}

/// Writes a list of the server to a file.
pub fn export(server: &Server<'_>, list: &str, pairs: &[(&str, &str)], out: &Path) -> Done {
    run(server, async |api| {
        let path = match list {
            "contacts" => "/api/v1/contacts/export".to_owned(),
            other => format!("/api/v1/export/{other}"),
        };
        let url = api.url(&path, pairs)?;
        api.save(api.client.get(url), out).await
    })
}
