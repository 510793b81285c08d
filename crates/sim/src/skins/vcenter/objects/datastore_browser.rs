//! HostDatastoreBrowser.

use super::{
    super::{
        context::{Answer, Ctx},
        dispatch,
    },
    not_here,
};
use crate::world::compute::{
    fault::Fault,
    files::DsPath,
    search::{Found, fits},
    state::State,
    value::{MoRef, Val, obj},
};

fn type_of(f: &Found) -> &'static str {
    if f.is_dir {
        return "FolderFileInfo";
    }
    let name = f.path.name();
    match name.rsplit_once('.').map_or("", |(_, e)| e) {
        // Data files and tracking files belong to their descriptor.
        "vmdk" => "VmDiskFileInfo",
        "vmx" => "VmConfigFileInfo",
        "nvram" => "VmNvramFileInfo",
        "vmsn" => "VmSnapshotFileInfo",
        "log" => "VmLogFileInfo",
        "iso" => "IsoImageFileInfo",
        _ => "FileInfo",
    }
}

fn is_part_of_disk(name: &str) -> bool {
    ["-flat.vmdk", "-delta.vmdk", "-ctk.vmdk", "-rdm.vmdk", "-rdmp.vmdk"].iter().any(|e| name.ends_with(e))
}

fn info(s: &State, f: &Found, base: &str, spec: &Val) -> Val {
    let details = spec.get("details");
    let want = |name: &str| details.bool(name) == Some(true);
    let mut ty = type_of(f);
    // Types come out only when asked for.
    let wanted = |w: &Val| w.type_name().trim_end_matches("Query") == ty.trim_end_matches("Info");
    if !want("fileType") && !spec.list("query").iter().any(wanted) {
        ty = "FileInfo";
    }
    let mut size = f.size_bytes;
    if ty == "VmDiskFileInfo"
        && let Ok(d) = s.descriptor(&f.path)
    {
        size = s.size(&f.path.sibling(&d.extent_file)).unwrap_or(size);
    }
    let path = f.path.rel.strip_prefix(base).unwrap_or(&f.path.rel).trim_start_matches('/').to_owned();
    obj!(ty, "path" => path, "fileSize" => Some(size).filter(|_| want("fileSize")).map(|n| Val::Long(i64::try_from(n).unwrap_or(0))),
        "modification" => Some(s.now()).filter(|_| want("modification")), "owner" => Some("root").filter(|_| want("fileOwner")))
}

fn result(s: &State, dir: &DsPath, found: &[Found], spec: &Val) -> Val {
    let patterns: Vec<&str> = spec.list("matchPattern").iter().filter_map(Val::as_str).collect();
    let ignore_case = spec.bool("searchCaseInsensitive") == Some(true);
    let queries = spec.list("query");
    let asked = |f: &Found| {
        queries.is_empty()
            || queries.iter().any(|q| {
                let ty = q.type_name().trim_end_matches("Query");
                match ty {
                    "File" => true,
                    ty => ty == type_of(f).trim_end_matches("Info"),
                }
            })
    };
    let matching = |f: &&Found| {
        let name = f.path.name();
        (patterns.is_empty() || patterns.iter().any(|p| fits(p, name, ignore_case)))
            && asked(f)
            && (queries.is_empty() || !is_part_of_disk(name))
    };
    let mut shown: Vec<&Found> = found.iter().filter(matching).collect();
    if spec.bool("sortFoldersFirst") == Some(true) {
        shown.sort_by_key(|f| !f.is_dir);
    }
    let files = shown.into_iter().map(|f| info(s, f, &dir.rel, spec)).collect();
    let mut folder = s.show(dir);
    if dir.rel.is_empty() {
        folder.push(' ');
    } else {
        folder.push('/');
    }
    obj!("HostDatastoreBrowserSearchResults", "datastore" => MoRef::new("Datastore", &dir.ds),
        "folderPath" => folder.trim_end_matches(' '), "file" => Val::List(files))
}

/// The methods.
pub fn call(ctx: &mut Ctx<'_>, method: &str) -> Answer {
    let owner = dispatch::owner(ctx.s, ctx.this).ok_or_else(|| Fault::gone(ctx.this))?;
    let dc = ctx.s.datacenter_of(&owner);
    if method != "SearchDatastore_Task" && method != "SearchDatastoreSubFolders_Task" {
        return not_here(ctx, method);
    }
    let path = ctx.s.parse_path(ctx.text("datastorePath"), dc.as_deref())?;
    let on = MoRef::new("Datastore", &path.ds);
    ctx.need("Datastore.Browse", &on)?;
    if owner.ty == "Datastore" && owner.id != path.ds {
        return Err(Fault::new("InvalidDatastore", "The path is on another datastore"));
    }
    let (user, spec) = (ctx.user(), ctx.args.get("searchSpec").clone());
    let deep = method == "SearchDatastoreSubFolders_Task";
    Ok(ctx
        .s
        .run(method, &on, &user, move |s| {
            if deep {
                let all = s.walk_dir(&path)?;
                Ok(Val::List(all.iter().map(|(dir, found)| result(s, dir, found, &spec)).collect()))
            } else {
                let found = s.list_dir(&path)?;
                Ok(result(s, &path, &found, &spec))
            }
        })
        .into())
}
