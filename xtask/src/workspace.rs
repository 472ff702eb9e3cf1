//! Where the workspace is, and what cargo says about it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::{CargoOpt, Metadata, MetadataCommand, Package};

/// What stands apart, because what it needs takes longer to compile than everything else: no task but the part of its own
/// touches it.
pub(crate) const APART: &str = "tdshm-zenoh";

/// All packages of the workspace but that one, for a cargo.
pub(crate) const ALL: [&str; 3] = ["--workspace", "--exclude", APART];

/// The workspace that this program belongs to.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    metadata: Metadata,
}

impl Workspace {
    /// Finds the root from this package's own place, so that tasks run from any folder.
    pub(crate) fn here() -> Result<Self> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root =
            package.parent().context("the task runner's package lies at the root of the file system")?;
        let metadata = MetadataCommand::new()
            .current_dir(root)
            .no_deps()
            .exec()
            .context("cargo cannot read the workspace: correct the manifests first")?;
        Ok(Self { root: root.to_owned(), metadata })
    }

    /// The folder of the root manifest.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The workspace with all that it depends on, on any platform and with any feature, as the lock file has it.
    ///
    /// # Errors
    ///
    /// When the lock file is not that of the manifests, or a manifest cannot be fetched.
    pub(crate) fn everything(&self) -> Result<Metadata> {
        let mut command = MetadataCommand::new();
        command.current_dir(&self.root).features(CargoOpt::AllFeatures);
        command.other_options(["--locked".to_owned()]);
        command.exec().context("cargo cannot say what the workspace depends on")
    }

    /// The packages of the workspace.
    pub(crate) fn packages(&self) -> Vec<&Package> {
        self.metadata.workspace_packages()
    }

    /// The packages that go to the registry.
    pub(crate) fn published(&self) -> Vec<&Package> {
        let may_go = |package: &&Package| package.publish.as_ref().is_none_or(|places| !places.is_empty());
        self.packages().into_iter().filter(may_go).collect()
    }

    /// Those of them that do not stand apart.
    pub(crate) fn published_together(&self) -> Vec<&Package> {
        self.published().into_iter().filter(|package| package.name != APART).collect()
    }

    /// The one that does.
    pub(crate) fn published_apart(&self) -> Vec<&Package> {
        self.published().into_iter().filter(|package| package.name == APART).collect()
    }

    /// The programs that cargo chooses from where no package is named.
    pub(crate) fn default_programs(&self) -> Vec<&str> {
        let packages = self.metadata.workspace_default_packages();
        let programs = packages.iter().flat_map(|package| &package.targets).filter(|target| target.is_bin());
        programs.map(|target| target.name.as_str()).collect()
    }

    /// The package called `name`.
    ///
    /// # Errors
    ///
    /// When there is none, with `purpose` as the reason that it was looked for.
    pub(crate) fn package(&self, name: &str, purpose: &str) -> Result<&Package> {
        self.packages()
            .into_iter()
            .find(|p| p.name == name)
            .with_context(|| format!("not run: the workspace has no package {name}, which {purpose}"))
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    /// A `cargo` of the toolchain in use, at the root.
    pub(crate) fn cargo<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(args).current_dir(&self.root);
        command
    }
}
