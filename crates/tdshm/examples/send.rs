//! Sends a circle: two channels, 60 frames a second, for ten seconds. Receive it with `cargo run --example receive`,
//! with `tdshm watch circle`, or with a Shared Mem In CHOP whose Shared Mem Name is `circle`.

// snippet:begin
use std::thread::sleep;
use std::time::Duration;
use tdshm::ChopSender;

fn main() -> Result<(), tdshm::Error> {
    let name = std::env::args().nth(1).unwrap_or("circle".into());
    let mut out = ChopSender::builder(&name).channels(["tx", "ty"]).sample_rate(60.0).create()?;
    for step in 0_u16..600 {
        let angle = f32::from(step) / 30.0;
        out.send(&[[angle.cos()], [angle.sin()]])?;
        sleep(Duration::from_millis(16));
    }
    out.detach()
}
// snippet:end
