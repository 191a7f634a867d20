//! Makes the folder of the built pages when it is missing, so that the crate builds without npm.

fn main() {
    println!("cargo::rerun-if-changed=ui/dist");
    if let Err(error) = std::fs::create_dir_all("ui/dist") {
        println!("cargo::warning=web/ui/dist cannot be made: {error}");
    }
}
