//! NetApp's own client, which shares nothing with this code. `cargo xtask test` brings it and names it in the environment;
//! without it these tests say so and pass, but never in CI.

use super::{ARRAY, Account, Ontap, Scope, Settings};
use crate::{
    clock::MachineClock,
    serve::{Security, serve},
    skins::ontap::spec,
    world::{
        World,
        storage::{NewVolume, StorageError},
        tree::FileTree as _,
    },
};
use std::{ffi::OsString, io::Write as _, sync::Arc};
use tokio::process::Command;

fn client() -> Option<OsString> {
    let variable = "STRATA_NETAPP_ONTAP";
    let found = std::env::var_os(variable).filter(|path| std::path::Path::new(path).exists());
    if found.is_none() {
        let is_ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
        assert!(!is_ci, "CI must not skip: {variable} names no program");
        let test = std::thread::current();
        let name = test.name().unwrap_or("a test");
        let _ = writeln!(std::io::stderr(), "SKIPPED: {name}: {variable} names no program");
    }
    found
}

/// A filer with a volume for files and one for LUNs, by the machine's clock.
fn filer(settings: Settings) -> Result<(Arc<World>, Ontap), StorageError> {
    let world = World::new(Arc::new(MachineClock));
    world.add_array(spec(ARRAY, "10.0.0.1"))?;
    let array = world.array(ARRAY)?;
    for (name, export_path) in [("vol1", "/vol1"), ("san1", "")] {
        let (name, export_path) = (name.to_owned(), export_path.to_owned());
        let made = array.create_volume(NewVolume { name, comment: String::new(), export_path, size_bytes: 1 << 40 })?;
        let tree = array.tree(made.id)?;
        tree.create_dir_all("vm")?;
        tree.write("vm/disk", 0, b"old")?;
        if !made.export_path.is_empty() {
            array.set_export(made.id, ["*".to_owned()].into())?;
        }
    }
    let ontap = Ontap::new(&world, ARRAY, settings)?;
    Ok((world, ontap))
}

async fn judged(security: Security, settings: Settings, part: &str) {
    let Some(python) = client() else { return };
    let (_world, ontap) = filer(settings).unwrap();
    let served = serve(ontap.router(), security).await.unwrap();
    let port = served.address.port().to_string();
    let scheme = if security == Security::Plain { "http" } else { "https" };
    let mut command = Command::new(python);
    command.args(["-c", include_str!("foreign.py"), scheme, &port, part]);
    let output = command.output().await.unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{part}: {text}");
    assert!(text.trim().ends_with("done"), "{part}: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_goes_the_whole_way_with_files() {
    judged(Security::Plain, Settings { locked_delete_ms: 0, ..Settings::default() }, "files").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_comes_in_by_tls_password_and_token() {
    let token = Account { token: Some("t0k".into()), ..super::account("oauth", Scope::Cluster) };
    let settings = Settings { accounts: vec![token], ..Settings::default() };
    judged(Security::Tls, settings, "credentials").await;
}
