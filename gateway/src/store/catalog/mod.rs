//! The catalog in sled. Few trees, small values, a checksum on every record.
//!
//! sled 0.34.7 can panic at open on a flipped bit and can lose a cut tail silently. Both are harmless here: what does not open
//! is set aside and begun anew, and at every start the catalog is compared with what the journal says it must hold.

mod open;
mod record;

pub use open::{Opened, open};

use crate::{
    catalog::{Catalog, CatalogError, CatalogResult, CloneRecord, RestorePoint},
    layout::Relation,
};
use record::{decode, encode};
use serde::{Serialize, de::DeserializeOwned};
use strata_model::ErrorKind;

/// A catalog on disk.
#[derive(Debug)]
pub struct SledCatalog {
    db: sled::Db,
    points: sled::Tree,
    clones: sled::Tree,
    /// `from NUL kind NUL to` -> evidence.
    edges: sled::Tree,
    /// `to NUL kind NUL from` -> nothing: the mirror of `edges`.
    edges_in: sled::Tree,
}

fn refused(error: &sled::Error) -> CatalogError {
    let full = matches!(error, sled::Error::Io(io) if io.kind() == std::io::ErrorKind::StorageFull);
    let kind = if full { ErrorKind::Exhausted } else { ErrorKind::Unexpected };
    let remedy = if full {
        "free space on the gateway's data directory"
    } else {
        "restart the gateway: it is rebuilt from the journal"
    };
    CatalogError { kind, message: format!("the catalog refused: {error}; {remedy}") }
}

fn edge_key(first: &str, kind: &str, last: &str) -> Vec<u8> {
    [first.as_bytes(), kind.as_bytes(), last.as_bytes()].join(&0)
}

impl SledCatalog {
    fn trees(db: sled::Db) -> sled::Result<Self> {
        Ok(Self {
            points: db.open_tree("restore_points")?,
            clones: db.open_tree("clones")?,
            edges: db.open_tree("edges")?,
            edges_in: db.open_tree("edges_in")?,
            db,
        })
    }

    fn put<T: Serialize>(tree: &sled::Tree, key: &[u8], value: &T) -> CatalogResult<()> {
        let bytes = encode(key, value)?;
        tree.insert(key, bytes).map_err(|error| refused(&error))?;
        Ok(())
    }

    fn get<T: DeserializeOwned>(tree: &sled::Tree, key: &[u8]) -> CatalogResult<Option<T>> {
        tree.get(key).map_err(|error| refused(&error))?.map(|bytes| decode(key, &bytes)).transpose()
    }

    fn all<T: DeserializeOwned>(tree: &sled::Tree) -> CatalogResult<Vec<T>> {
        tree.iter()
            .map(|entry| {
                let (key, bytes) = entry.map_err(|error| refused(&error))?;
                decode(&key, &bytes)
            })
            .collect()
    }

    fn put_edges(&self, relations: &[Relation]) -> CatalogResult<()> {
        for link in relations {
            let key = edge_key(&link.from, &link.kind, &link.to);
            Self::put(&self.edges, &key, &link)?;
            Self::put(&self.edges_in, &edge_key(&link.to, &link.kind, &link.from), &link)?;
        }
        Ok(())
    }

    fn remove_edges_of(&self, point: &RestorePoint) -> CatalogResult<()> {
        let name = format!("snapshots/{}", point.id);
        for link in point.relations().iter().filter(|link| link.from == name || link.to == name) {
            self.edges.remove(edge_key(&link.from, &link.kind, &link.to)).map_err(|error| refused(&error))?;
            self.edges_in.remove(edge_key(&link.to, &link.kind, &link.from)).map_err(|error| refused(&error))?;
        }
        Ok(())
    }

    fn links(tree: &sled::Tree, name: &str) -> CatalogResult<Vec<Relation>> {
        let prefix = [name.as_bytes(), b"\0"].concat();
        tree.scan_prefix(prefix)
            .map(|entry| {
                let (key, bytes) = entry.map_err(|error| refused(&error))?;
                decode(&key, &bytes)
            })
            .collect()
    }

    /// Checks every record and that each link stands in both directions.
    ///
    /// # Errors
    /// The first record that is damaged, or the first link without its mirror.
    pub fn verify(&self) -> CatalogResult<()> {
        Self::all::<RestorePoint>(&self.points)?;
        Self::all::<CloneRecord>(&self.clones)?;
        let (forward, backward) = (Self::all::<Relation>(&self.edges)?, Self::all::<Relation>(&self.edges_in)?);
        let unmirrored = forward
            .iter()
            .find(|link| !matches!(self.edges_in.contains_key(edge_key(&link.to, &link.kind, &link.from)), Ok(true)));
        match unmirrored {
            None if forward.len() == backward.len() => Ok(()),
            _ => Err(CatalogError {
                kind: ErrorKind::Unexpected,
                message: "the catalog's links do not mirror each other; restart the gateway: it is rebuilt".to_owned(),
            }),
        }
    }
}

impl Catalog for SledCatalog {
    fn put_point(&self, point: &RestorePoint) -> CatalogResult<()> {
        self.put_edges(&point.relations())?;
        Self::put(&self.points, point.id.as_bytes(), point)
    }

    fn point(&self, id: &str) -> CatalogResult<Option<RestorePoint>> {
        Self::get(&self.points, id.as_bytes())
    }

    fn points(&self) -> CatalogResult<Vec<RestorePoint>> {
        Self::all(&self.points)
    }

    fn remove_point(&self, id: &str) -> CatalogResult<()> {
        if let Some(point) = self.point(id)? {
            self.remove_edges_of(&point)?;
        }
        self.points.remove(id).map_err(|error| refused(&error))?;
        Ok(())
    }

    fn put_clone(&self, clone: &CloneRecord) -> CatalogResult<()> {
        self.put_edges(&[clone_link(clone)])?;
        Self::put(&self.clones, clone.intent.clone_id.as_bytes(), clone)
    }

    fn clone_record(&self, id: &str) -> CatalogResult<Option<CloneRecord>> {
        Self::get(&self.clones, id.as_bytes())
    }

    fn clones(&self) -> CatalogResult<Vec<CloneRecord>> {
        Self::all(&self.clones)
    }

    fn remove_clone(&self, id: &str) -> CatalogResult<()> {
        if let Some(clone) = self.clone_record(id)? {
            let link = clone_link(&clone);
            self.edges.remove(edge_key(&link.from, &link.kind, &link.to)).map_err(|error| refused(&error))?;
            self.edges_in.remove(edge_key(&link.to, &link.kind, &link.from)).map_err(|error| refused(&error))?;
        }
        self.clones.remove(id).map_err(|error| refused(&error))?;
        Ok(())
    }

    fn relations_from(&self, name: &str) -> CatalogResult<Vec<Relation>> {
        Self::links(&self.edges, name)
    }

    fn relations_to(&self, name: &str) -> CatalogResult<Vec<Relation>> {
        Self::links(&self.edges_in, name)
    }

    fn flush(&self) -> CatalogResult<()> {
        self.db.flush().map(|_| ()).map_err(|error| refused(&error))
    }
}

fn clone_link(clone: &CloneRecord) -> Relation {
    Relation {
        from: format!("snapshots/{}", clone.intent.snapshot_id),
        kind: "has clone".to_owned(),
        to: format!("clones/{}", clone.intent.clone_id),
        evidence: format!("operation {}, VM {}", clone.operation, clone.vm),
    }
}
