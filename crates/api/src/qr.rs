//! QR codes as images.

use qrcode::render::svg;
use qrcode::types::QrError;
use qrcode::{Color, QrCode};

/// The side of an image if nobody says another, in pixels.
pub(crate) const USUAL_SIDE: u32 = 256;
/// The light border that readers need, in modules.
const QUIET: usize = 4;

/// Why a code could not be drawn.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DrawError {
    /// The text is too long.
    #[error("the text does not fit a QR code")]
    TooLong(#[from] QrError),
    /// The image is too small for one pixel a module.
    #[error("the code has {modules} modules a side, so the image needs as many pixels")]
    TooSmall {
        /// Modules of a side, the border included.
        modules: usize,
    },
    /// The image could not be written.
    #[error("the image could not be written")]
    Png(#[from] png::EncodingError),
}

/// `text` as an SVG image, at least `side` pixels wide.
pub(crate) fn svg(text: &str, side: u32) -> Result<String, DrawError> {
    let code = QrCode::new(text)?;
    let mut image = code.render::<svg::Color<'_>>();
    Ok(image.min_dimensions(side, side).build())
}

/// `text` as a PNG image, `side` pixels wide, in black and white.
pub(crate) fn png(text: &str, side: u32) -> Result<Vec<u8>, DrawError> {
    let code = QrCode::new(text)?;
    let pixels = usize::try_from(side).unwrap_or(usize::MAX);
    let width = code.width();
    let modules = width.saturating_add(QUIET.saturating_mul(2));
    let scale = pixels.checked_div(modules).unwrap_or_default();
    if scale == 0 {
        return Err(DrawError::TooSmall { modules });
    }
    let dark = scale.saturating_mul(width);
    let before = pixels
        .saturating_sub(dark)
        .checked_div(2)
        .unwrap_or_default();
    let line = |modules: &[Color]| -> Vec<u8> {
        let dark = modules.iter().flat_map(|module| {
            let is_light = *module == Color::Light;
            std::iter::repeat_n(is_light, scale)
        });
        let light = std::iter::repeat(true);
        let row = light.clone().take(before).chain(dark).chain(light);
        packed(&row.take(pixels).collect::<Vec<_>>())
    };
    let (blank, colors) = (line(&[]), code.to_colors());
    let mut lines = blank.repeat(before);
    for modules in colors.chunks(width) {
        lines.extend(line(modules).repeat(scale));
    }
    let after = pixels.saturating_sub(before).saturating_sub(dark);
    lines.extend(blank.repeat(after));

    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&lines)?;
    writer.finish()?;
    Ok(file)
}

/// Eight pixels in a byte, the first in its highest bit.
fn packed(row: &[bool]) -> Vec<u8> {
    let bytes = row.chunks(8).map(|pixels| {
        let filled = pixels.iter().chain(std::iter::repeat(&true)).take(8);
        filled.fold(0_u8, |byte, is_light| {
            byte.wrapping_shl(1) | u8::from(*is_light)
        })
    });
    bytes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pixels of an image, `true` where it is light.
    fn pixels(file: &[u8]) -> (u32, Vec<bool>) {
        let decoder = png::Decoder::new(std::io::Cursor::new(file));
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut bytes).unwrap();
        let width = usize::try_from(frame.width).unwrap();
        let rows = bytes.chunks(frame.line_size);
        let light = rows.flat_map(|row| {
            let bits = row
                .iter()
                .flat_map(|byte| (0..8).map(move |bit| byte & (0x80 >> bit) != 0));
            bits.take(width).collect::<Vec<_>>()
        });
        (frame.width, light.collect())
    }

    #[test]
    fn every_module_is_where_the_code_has_it() {
        let text = "ethereum:0x55@1/transfer?address=0x66&uint256=7";
        let code = QrCode::new(text).unwrap();
        let modules = code.width() + 2 * QUIET;
        for side in [modules, modules + 5, 256, 300] {
            let (width, light) = pixels(&png(text, u32::try_from(side).unwrap()).unwrap());
            assert_eq!(
                (usize::try_from(width).unwrap(), light.len()),
                (side, side * side)
            );
            let scale = side / modules;
            let before = (side - scale * code.width()) / 2;
            for (index, is_light) in light.iter().enumerate() {
                let inside = |pixel: usize| {
                    let module = pixel.checked_sub(before)? / scale;
                    (module < code.width()).then_some(module)
                };
                let place = inside(index % side).zip(inside(index / side));
                let expected = place.is_none_or(|place| code[place] == Color::Light);
                assert_eq!(*is_light, expected, "pixel {index} of {side}");
            }
        }
    }

    #[test]
    fn an_image_that_is_too_small_or_a_text_that_is_too_long_is_refused() {
        assert!(matches!(
            png("x", 20),
            Err(DrawError::TooSmall { modules: 29 })
        ));
        let long = "x".repeat(10_000);
        assert!(matches!(png(&long, 256), Err(DrawError::TooLong(_))));
        assert!(matches!(svg(&long, 256), Err(DrawError::TooLong(_))));
    }
}
