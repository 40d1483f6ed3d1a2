//! One host of a registry: who we are to it, its patience and ours. Which hosts there are is the session's.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE},
};
use reqwest::{Client, Response, Url};

use super::{
    Registry,
    http::{bounded, clean, failed, form, rate_limit, registry_message, retry_after, send, unreachable},
    watch::Watch,
};
use crate::{
    bail,
    config::hosts::Host,
    engine::image::{
        auth::{self, Challenge, Credentials},
        keychain::Found,
    },
    error::{Error, Kind, Result},
};

const TOKEN_LIMIT: u64 = 1 << 20;
const ERROR_LIMIT: u64 = 64 << 10;
/// Requests for one answer, token fetches not counted.
const ATTEMPTS: u32 = 5;
/// Answers to a challenge for one request: with each of our credentials, but not without end (threats REG-04).
const ANSWERS: usize = 4;
/// A registry that wants us to wait longer than this is an error at once.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Upstream {
    pub host: Host,
    client: Client,
    registry: Registry,
    /// Of the image, as in its reference.
    namespace: String,
    repository: String,
    /// What the pull request says we are, if this host may know.
    requested: Option<Credentials>,
    state: tokio::sync::Mutex<State>,
    watch: Arc<Watch>,
    /// Nobody is there: not asked again in this session.
    dead: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    authorization: Option<HeaderValue>,
    /// What is left to try, best first; `None` until a challenge asks.
    candidates: Option<std::vec::IntoIter<Option<Found>>>,
    current: Option<Found>,
    /// Why a source of credentials gave none.
    notes: Vec<String>,
}

impl Upstream {
    pub fn new(
        registry: &Registry,
        host: Host,
        namespace: &str,
        repository: &str,
        credentials: Option<&Credentials>,
        watch: Arc<Watch>,
    ) -> Result<Self> {
        let client = registry.client(&host)?;
        let own = Host::itself("https", namespace).name;
        // A pull secret is for the registry it names; a mirror of somebody else has its own in the node's configuration.
        let requested = credentials.filter(|_| auth::same_owner(&own, &host.name)).cloned();
        let authorization = match &requested {
            Some(Credentials::Bearer(token)) => auth::bearer(token).ok(),
            _ => None,
        };
        Ok(Self {
            host,
            client,
            registry: registry.clone(),
            namespace: namespace.to_owned(),
            repository: repository.to_owned(),
            requested,
            state: tokio::sync::Mutex::new(State { authorization, ..State::default() }),
            watch,
            dead: AtomicBool::new(false),
        })
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    fn url(&self, path: &str) -> Result<Url> {
        let Host { scheme, name, path: base, .. } = &self.host;
        let text = format!("{scheme}://{name}{base}/{}/{path}", self.repository);
        let mut url = Url::parse(&text).map_err(|e| failed("make a URL for the registry", e))?;
        if Host::itself(scheme, &self.namespace).name != *name {
            // A mirror of many registries has to know which one is meant.
            url.query_pairs_mut().append_pair("ns", &self.namespace);
        }
        Ok(url)
    }

    /// GET below the repository, with authentication, patience and errors that say what happened.
    pub async fn get(&self, path: &str, headers: HeaderMap) -> Result<Response> {
        let answer = self.get_patiently(path, headers).await;
        if let Err(error) = &answer
            && matches!(error.kind(), Kind::Unavailable | Kind::DeadlineExceeded)
        {
            self.dead.store(true, Ordering::Relaxed);
        }
        answer
    }

    async fn get_patiently(&self, path: &str, mut headers: HeaderMap) -> Result<Response> {
        let url = self.url(path)?;
        let mut own = Vec::new();
        for (name, value) in self.registry.headers().iter().chain(&self.host.header) {
            let pair = (name.parse::<HeaderName>(), HeaderValue::from_str(value));
            let (Ok(name), Ok(mut value)) = pair else {
                bail!(InvalidArgument, "the header {} configured for {} is none", clean(name, 40), self.host.name);
            };
            value.set_sensitive(true);
            headers.append(name.clone(), value);
            own.push(name);
        }
        let (mut answers, mut last) = (0, None);
        for attempt in 0..ATTEMPTS {
            let mut headers = headers.clone();
            let authorization = self.state.lock().await.authorization.clone();
            if let Some(value) = &authorization {
                headers.insert(AUTHORIZATION, value.clone());
            }
            let sent = self.watch.waiting(send(&self.client, url.clone(), headers, &own)).await;
            let response = match sent {
                Ok(response) => response,
                Err(error) => {
                    if !error.is(Kind::Unavailable) || attempt >= 1 {
                        return Err(error);
                    }
                    last = Some(error);
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    continue;
                }
            };
            match response.status() {
                status if status.is_success() => return Ok(response),
                StatusCode::UNAUTHORIZED if answers < ANSWERS => {
                    answers += 1;
                    let challenge = Challenge::parse(response.headers().get_all(WWW_AUTHENTICATE).iter());
                    let Some(challenge) = challenge else { return Err(self.refused(response).await) };
                    if !self.answer(&challenge, authorization.as_ref(), answers == 1).await? {
                        return Err(self.refused(response).await);
                    }
                }
                StatusCode::TOO_MANY_REQUESTS => {
                    let wait = retry_after(response.headers()).unwrap_or(backoff(attempt));
                    if wait > LONGEST_WAIT || attempt + 1 == ATTEMPTS {
                        bail!(
                            ResourceExhausted,
                            "rate limited by {} (429){}: retry after {} s",
                            self.host.name,
                            rate_limit(response.headers()),
                            wait.as_secs()
                        );
                    }
                    tokio::time::sleep(wait).await;
                }
                status if status.is_server_error() && attempt < 2 => {
                    let wait = retry_after(response.headers()).filter(|w| *w <= LONGEST_WAIT);
                    last = Some(self.refused(response).await);
                    tokio::time::sleep(wait.unwrap_or(backoff(attempt) / 3)).await;
                }
                StatusCode::RANGE_NOT_SATISFIABLE => {
                    bail!(Unavailable, "the registry {} refused the range asked for (416)", self.host.name)
                }
                _ => return Err(self.refused(response).await),
            }
        }
        Err(last.unwrap_or_else(|| {
            Error::new(Kind::Unauthenticated, format!("authentication to {} failed (401)", self.host.name))
        }))
    }

    /// Gets ready to answer a challenge; `false` when there is nothing left to say. A header that worked before is first
    /// made anew: tokens expire.
    async fn answer(&self, challenge: &Challenge, used: Option<&HeaderValue>, first: bool) -> Result<bool> {
        let mut state = self.state.lock().await;
        if state.authorization.as_ref() != used {
            return Ok(true);
        }
        let mut renew = first && used.is_some() && state.candidates.is_some();
        // What was sent and refused; a note that the last of them was is `refused`'s to make.
        let mut wrong = (!renew && used.is_some()).then(|| state.current.clone()).flatten();
        loop {
            if !renew {
                if state.candidates.is_none() {
                    let (list, notes) = self.candidates().await;
                    state.candidates = Some(list.into_iter());
                    state.notes = notes;
                }
                match state.candidates.as_mut().and_then(Iterator::next) {
                    Some(next) => {
                        let note = wrong.take().map(|found| format!("wrong user or password in {}", found.source));
                        state.notes.extend(note);
                        state.current = next;
                    }
                    None => return Ok(false),
                }
            }
            renew = false;
            let found = state.current.as_ref();
            match self.header(challenge, found.map(|f| &f.credentials)).await {
                Ok(Some(header)) if Some(&header) != used => {
                    state.authorization = Some(header);
                    return Ok(true);
                }
                Ok(Some(_)) => wrong = state.current.clone(),
                Ok(None) => {}
                Err(error) if error.is(Kind::Unauthenticated) => {
                    let from = found.map_or("without credentials".to_owned(), |f| format!("with {}", f.source));
                    let more = state.candidates.as_ref().is_some_and(|c| c.len() > 0);
                    if !more {
                        return Err(error.context(format!("log in to {} {from}", self.host.name)));
                    }
                    state.notes.push(format!("{from}: {error}"));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Who we can be, in order; at last nobody, unless the pull request says who.
    async fn candidates(&self) -> (Vec<Option<Found>>, Vec<String>) {
        if let Some(credentials) = &self.requested {
            let found = Found { credentials: credentials.clone(), source: "the pull request".to_owned() };
            return (vec![Some(found)], Vec::new());
        }
        let keys = self.registry.keychain().find(&self.host.name, &self.namespace, &self.repository).await;
        let found = keys.found.into_iter().take(ANSWERS - 1).map(Some);
        (found.chain([None]).collect(), keys.notes)
    }

    /// What to send after a 401; `None` if these credentials are no answer.
    async fn header(&self, challenge: &Challenge, credentials: Option<&Credentials>) -> Result<Option<HeaderValue>> {
        match (challenge, credentials) {
            (_, Some(Credentials::Bearer(token))) => auth::bearer(token).map(Some),
            (Challenge::Basic, Some(Credentials::Basic { user, password })) => auth::basic(user, password).map(Some),
            (Challenge::Basic, _) => Ok(None),
            (Challenge::Bearer { realm, service, scope }, credentials) => {
                self.token(realm, service.as_deref(), scope.as_deref(), credentials).await.map(Some)
            }
        }
    }

    /// A token from the realm the registry names (the token authentication specification of docker's registry).
    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
        credentials: Option<&Credentials>,
    ) -> Result<HeaderValue> {
        let shown = clean(realm, 120);
        let name = &self.host.name;
        let Ok(mut url) = Url::parse(realm) else {
            bail!(InvalidArgument, "the registry {name} names an invalid token service {shown:?}");
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        if self.host.scheme == "https" && url.scheme() != "https" {
            bail!(PermissionDenied, "the registry {name} sends us to insecure {shown:?} for a token");
        }
        let trusted = auth::realm_is_trusted(name, &host);
        let scope = scope.map_or_else(|| format!("repository:{}:pull", self.repository), str::to_owned);
        let request = match credentials {
            Some(Credentials::Identity(token)) if trusted => {
                let mut body = form(&[("grant_type", "refresh_token"), ("refresh_token", token), ("scope", &scope)]);
                if let Some(service) = service {
                    body.push_str(&format!("&{}", form(&[("service", service)])));
                }
                body.push_str("&client_id=wharf");
                let kind = "application/x-www-form-urlencoded";
                self.client.post(url).header(CONTENT_TYPE, kind).body(body)
            }
            credentials => {
                url.query_pairs_mut().append_pair("scope", &scope);
                if let Some(service) = service {
                    url.query_pairs_mut().append_pair("service", service);
                }
                let request = self.client.get(url);
                match credentials {
                    Some(Credentials::Basic { user, password }) if trusted => {
                        request.header(AUTHORIZATION, auth::basic(user, password)?)
                    }
                    _ => request,
                }
            }
        };
        let response = self.watch.waiting(request.send()).await.map_err(|e| unreachable(&host, e))?;
        let status = response.status();
        if !status.is_success() {
            let hint = if credentials.is_some() && !trusted {
                "; its host is not the registry's, so it got no password"
            } else {
                ""
            };
            let code = status.as_u16();
            bail!(Unauthenticated, "authentication to {name} failed: token service {host} answered {code}{hint}");
        }
        #[derive(serde::Deserialize)]
        struct Token {
            #[serde(default)]
            token: String,
            #[serde(default)]
            access_token: String,
        }
        let body = self.watch.waiting(bounded(response, TOKEN_LIMIT, "token")).await?;
        let token: Token = serde_json::from_slice(&body)
            .map_err(|e| Error::new(Kind::Internal, "read the token service's answer").with_quote(e))?;
        let text = if token.token.is_empty() { token.access_token } else { token.token };
        if text.is_empty() {
            bail!(Unauthenticated, "authentication to {name} failed: token service {host} gave no token");
        }
        auth::bearer(&text)
    }

    /// The registry said no: its own words, shortened and cleaned.
    async fn refused(&self, response: Response) -> Error {
        let status = response.status();
        let body = bounded(response, ERROR_LIMIT, "error").await.unwrap_or_default();
        let said = registry_message(&body);
        let name = &self.host.name;
        let repository = format!("{name}/{}", self.repository);
        let state = self.state.lock().await;
        let (kind, text) = match (status, &state.current) {
            (StatusCode::UNAUTHORIZED, Some(found)) => {
                let text = format!("authentication to {name} failed (401): wrong user or password in {}", found.source);
                (Kind::Unauthenticated, text)
            }
            (StatusCode::UNAUTHORIZED, None) => {
                let notes: String = state.notes.iter().map(|note| format!("; {note}")).collect();
                let text = format!("{repository} needs a login (401): give credentials, or check the name{notes}");
                (Kind::Unauthenticated, text)
            }
            (StatusCode::FORBIDDEN, _) => (Kind::PermissionDenied, format!("access to {repository} is denied (403)")),
            (StatusCode::NOT_FOUND, _) => (Kind::NotFound, format!("{repository}: not found (404)")),
            (s, _) if s.is_server_error() => (Kind::Unavailable, format!("registry {name} failed ({})", s.as_u16())),
            (s, _) => (Kind::Internal, format!("registry {name} answered {}", s.as_u16())),
        };
        Error::new(kind, if said.is_empty() { text } else { format!("{text}: {said}") })
    }
}

/// Longer from time to time, and not the same for everybody who waits.
fn backoff(attempt: u32) -> Duration {
    let mut bytes = [0; 2];
    // Without random bytes the waits are merely equal.
    let _read = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    let jitter = u32::from(u16::from_le_bytes(bytes)) % 250;
    Duration::from_millis(u64::from(1000 * (1 << attempt.min(5)) + jitter))
}
