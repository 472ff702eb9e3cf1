//! Changes its channels while it runs: two for two seconds, then three. Receivers go on by themselves: see it with
//! `tdshm watch circle`, or in a Shared Mem In CHOP whose Shared Mem Name is `circle`.

// snippet:begin
use std::thread::sleep;
use std::time::Duration;
use tdshm::ChopSender;

fn main() -> Result<(), tdshm::Error> {
    let mut out = ChopSender::builder("circle").channels(["tx", "ty"]).sample_rate(60.0).create()?;
    for step in 0_u16..240 {
        let angle = f32::from(step) / 30.0;
        if step == 120 {
            out.set_channels(["tx", "ty", "height"])?; // counts from the next frame on
        }
        if step < 120 {
            out.send(&[[angle.cos()], [angle.sin()]])?;
        } else {
            out.send(&[[angle.cos()], [angle.sin()], [angle]])?;
        }
        sleep(Duration::from_millis(16));
    }
    out.detach()
}
// snippet:end
