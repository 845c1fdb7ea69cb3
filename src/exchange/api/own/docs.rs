//! The description of the API (OpenAPI 3.1), made from the table of routes, and a page of it that
//! asks no other host for anything.

use crate::exchange::http::{Method, Reply, split_path};
use crate::exchange::pulses::{MAX_INDICATORS, MAX_LIST, MAX_NAME, MAX_VALUE, MIN_NAME, Type};
use crate::exchange::site::{Answer, Call, Family, Needs, Route};
use serde_json::{Map, Value, json};

/// `GET /api/openapi.json`.
pub(super) fn openapi(call: &Call<'_>) -> Answer {
    let mut paths = Map::new();
    for route in call.site.routes().filter(|route| route.family != Family::Page) {
        let path = path_of(route);
        let operations = paths.entry(path).or_insert_with(|| json!({}));
        for method in route.methods {
            let mut operation = operation(route);
            if !matches!(method, Method::Get | Method::Delete) {
                operation["requestBody"] = body_of(route);
            }
            operations[method.name().to_ascii_lowercase()] = operation;
        }
    }
    Ok(Reply::json(&json!({
        "openapi": "3.1.0",
        "info": {
            "title": "wiresift exchange",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The API of OTX below /api/v1, additions below /api/v2, TAXII 2.1 and feeds.",
        },
        "servers": [{"url": call.settings().base}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-OTX-API-KEY"},
                "session": {
                    "type": "apiKey", "in": "cookie",
                    "name": call.settings().cookies().name().unwrap_or("__Host-session"),
                    "description": "Of a log-in. What changes something needs the header X-CSRF-Token, too.",
                },
            },
            "schemas": {
                "Pulse": pulse(),
                "Indicator": indicator(),
                "Error": {
                    "type": "object",
                    "required": ["status", "detail"],
                    "properties": {
                        "status": {"type": "string"},
                        "detail": {"type": "string"},
                        "errors": {
                            "type": "object",
                            "additionalProperties": {"type": "array", "items": {"type": "string"}},
                        },
                    },
                },
            },
        },
    })))
}

/// What a route takes.
fn body_of(route: &Route) -> Value {
    let of = |kind: &str, schema: Value| json!({"content": {kind: {"schema": schema}}});
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    match (route.family, route.path) {
        (Family::Taxii, _) => of("application/taxii+json;version=2.1", json!({"type": "object"})),
        (_, "api/v1/indicators/submit_file") => of(
            "multipart/form-data",
            json!({
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
            }),
        ),
        (_, "api/v1/pulses/create") => of("application/json", reference("Pulse")),
        (_, "api/v1/pulses/indicators/validate") => of("application/json", reference("Indicator")),
        (_, "api/v2/alerts" | "api/v2/sightings") => {
            of("application/json", json!({"type": "array", "items": {"type": "object"}}))
        }
        _ => of("application/json", json!({"type": "object"})),
    }
}

/// The body of a creation.
fn pulse() -> Value {
    let texts = json!({"type": "array", "items": {"type": "string"}, "maxItems": MAX_LIST});
    json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "minLength": MIN_NAME, "maxLength": MAX_NAME},
            "description": {"type": "string"},
            "public": {"type": "boolean"},
            "TLP": {"enum": ["white", "green", "amber", "amber+strict", "red"]},
            "adversary": {"type": "string"},
            "tags": texts,
            "references": texts,
            "targeted_countries": texts,
            "industries": texts,
            "malware_families": texts,
            "attack_ids": texts,
            "group_ids": {"type": "array", "items": {"type": "integer"}},
            "indicators": {
                "type": "array",
                "maxItems": MAX_INDICATORS,
                "items": {"$ref": "#/components/schemas/Indicator"},
            },
        },
    })
}

/// An indicator of a body.
fn indicator() -> Value {
    let types: Vec<&str> = Type::ALL.iter().map(|of| of.name()).collect();
    json!({
        "type": "object",
        "required": ["indicator", "type"],
        "properties": {
            "indicator": {"type": "string", "maxLength": MAX_VALUE},
            "type": {"enum": types},
            "title": {"type": "string"},
            "description": {"type": "string"},
            "content": {"type": "string"},
            "role": {"type": ["string", "null"]},
            "expiration": {"type": ["string", "null"]},
            "is_active": {"enum": [0, 1, true, false]},
        },
    })
}

/// The path of a route as OpenAPI writes it.
fn path_of(route: &Route) -> String {
    let parts: Vec<String> =
        split_path(route.path).into_iter().map(|part| part.replace("*}", "}")).collect();
    format!("/{}", parts.join("/"))
}

/// A route as an operation.
fn operation(route: &Route) -> Value {
    let parameters: Vec<Value> = split_path(route.path)
        .into_iter()
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({
                "name": name.trim_end_matches('*'), "in": "path", "required": true,
                "schema": {"type": "string"},
            })
        })
        .collect();
    let security = match route.needs {
        Needs::Nothing => json!([]),
        Needs::Reader => json!([{"key": []}, {"session": []}, {}]),
        Needs::Key(_) | Needs::Trusted | Needs::Moderator | Needs::Admin => {
            json!([{"key": []}, {"session": []}])
        }
    };
    let mut operation = json!({
        "summary": route.summary,
        "parameters": parameters,
        "security": security,
        "responses": {"default": {"description": "The answer, or why there is none"}},
    });
    if route.family == Family::Api {
        let schema = json!({"$ref": "#/components/schemas/Error"});
        operation["responses"]["4XX"] = json!({
            "description": "Refused",
            "content": {"application/json": {"schema": schema}},
        });
    }
    operation
}

/// `GET /api/docs`.
pub(super) fn page(call: &Call<'_>) -> Answer {
    let mut rows = String::new();
    let mut routes: Vec<&Route> =
        call.site.routes().filter(|route| route.family != Family::Page).collect();
    routes.sort_by_key(|route| route.path);
    for route in routes {
        let methods: Vec<&str> = route.methods.iter().map(|method| method.name()).collect();
        let needs = match route.needs {
            Needs::Nothing => String::new(),
            Needs::Reader => "a key, unless everybody may read".into(),
            Needs::Key(scope) => format!("a key with the scope {}", scope.name()),
            Needs::Trusted => "a trusted member".into(),
            Needs::Moderator => "a moderator".into(),
            Needs::Admin => "an administrator".into(),
        };
        rows.push_str(&format!(
            "<tr><td>{}<td><code>{}</code><td>{}<td>{needs}\n",
            methods.join(" "),
            path_of(route),
            route.summary
        ));
    }
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>API of the exchange</title>\n<h1>API of the exchange</h1>\n\
         <p>Machine-readable: <a href=\"/api/openapi.json\">/api/openapi.json</a>. \
         Keys go into the header <code>X-OTX-API-KEY</code>.</p>\n\
         <table>\n<tr><th>Method<th>Path<th>What it does<th>Needs\n{rows}</table>\n</html>\n"
    );
    Ok(Reply::new(200, "text/html; charset=utf-8", html)
        .header("content-security-policy", "default-src 'none'"))
}
