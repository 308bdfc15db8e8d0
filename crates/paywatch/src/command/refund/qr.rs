//! QR codes in a terminal.

use anyhow::Context as _;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

/// `text` as a QR code of half blocks, light on a dark terminal as cameras expect it.
pub(super) fn draw(text: &str) -> anyhow::Result<String> {
    let code = QrCode::new(text).context("the URI does not fit a QR code")?;
    let mut image = code.render::<Dense1x2>();
    let image = image
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark);
    Ok(image.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_square_of_half_blocks_with_a_light_border() {
        let drawn = draw("ethereum:0x55@1/transfer?address=0x66&uint256=7").unwrap();
        let lines: Vec<&str> = drawn.lines().collect();
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width));
        assert_eq!(lines.len(), width.div_ceil(2));
        assert!(lines[0].chars().all(|block| block == '█'), "{drawn}");
        let known = |block| matches!(block, '█' | '▀' | '▄' | ' ');
        assert!(lines.concat().chars().all(known), "{drawn}");
    }
}
