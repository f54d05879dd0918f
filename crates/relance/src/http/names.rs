//! `/api/v1/names`: names of events, traits and fields that are in use, for whoever writes conditions.
//!
//! **Absent:** values.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use relance_core::ids::ObjectKind;
use relance_store::read::{NAMES_MAX, NameInUse, NamesInUse};
use relance_wire::api::feed::{NameShown, NamesShown};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::workspace::Workspace;

use super::api::read;
use super::lists::{bad_query, said};
use super::{Problem, Shared};

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<Arc<Workspace>> {
    OpenApiRouter::new().routes(routes!(names))
}

/// Which names.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// `events`, `traits`, `objects` (their kinds) or `fields` (of objects).
    kind: String,
    /// Of `fields`: of this kind of objects alone.
    of: Option<String>,
}

fn shown(one: NameInUse, of: Option<&str>) -> NameShown {
    NameShown {
        name: one.name,
        of: of.map(str::to_owned),
        count: one.count,
        types: one.types.into_iter().map(str::to_owned).collect(),
    }
}

fn all(found: NamesInUse, of: Option<&str>) -> NamesShown {
    NamesShown {
        cut: found.names.len() >= NAMES_MAX,
        looked_at: Some(found.looked_at),
        items: found.names.into_iter().map(|one| shown(one, of)).collect(),
    }
}

/// Names in use: of events, as they are counted; of traits and fields, as the newest contacts and the last changed
/// objects have them.
#[utoipa::path(get, path = "/api/v1/names", operation_id = "names_list", tag = "segments", params(Which),
    responses((status = 200, description = "names in use", body = NamesShown)))]
pub async fn names(
    State(workspace): Shared,
    asked: Result<Query<Which>, QueryRejection>,
) -> Result<Json<NamesShown>, Problem> {
    let Query(asked) = asked?;
    if said(&asked.of).is_some() && asked.kind != "fields" {
        return Err(bad_query(
            "of: names a kind of objects, for kind=fields alone",
        ));
    }
    let found = match asked.kind.as_str() {
        "events" => {
            read(&workspace, |reader| {
                let names = reader.event_names()?;
                Ok(NamesShown {
                    cut: names.len() >= NAMES_MAX,
                    looked_at: None,
                    items: names.into_iter().map(|one| shown(one, None)).collect(),
                })
            })
            .await?
        }
        "traits" => read(&workspace, |reader| Ok(all(reader.trait_names()?, None))).await?,
        "objects" => {
            read(&workspace, |reader| {
                let kinds = reader.object_kinds()?;
                let mut items = Vec::with_capacity(kinds.len());
                for kind in kinds {
                    let looked_at = reader.field_names(&kind)?.looked_at;
                    items.push(NameShown {
                        name: kind.to_string(),
                        of: None,
                        count: u64::try_from(looked_at).unwrap_or(u64::MAX),
                        types: Vec::new(),
                    });
                }
                Ok(NamesShown {
                    items,
                    looked_at: None,
                    cut: false,
                })
            })
            .await?
        }
        "fields" => {
            read(&workspace, move |reader| {
                if let Some(kind) = said(&asked.of) {
                    let found = reader.field_names(&ObjectKind::from(kind))?;
                    return Ok(all(found, Some(kind)));
                }
                let mut items = Vec::new();
                let mut looked_at = 0;
                for kind in reader.object_kinds()? {
                    let found = reader.field_names(&kind)?;
                    looked_at += found.looked_at;
                    let of = Some(kind.as_str());
                    items.extend(found.names.into_iter().map(|one| shown(one, of)));
                }
                let cut = items.len() > NAMES_MAX;
                items.truncate(NAMES_MAX);
                Ok(NamesShown {
                    items,
                    looked_at: Some(looked_at),
                    cut,
                })
            })
            .await?
        }
        other => {
            return Err(bad_query(format!(
                "kind {other:?} is not known; use events, traits, objects or fields"
            )));
        }
    };
    Ok(Json(found))
}
