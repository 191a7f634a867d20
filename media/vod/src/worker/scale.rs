//! The scaler: an element that makes I420 pictures of one size into another, plane by plane, with the
//! machine's vector instructions. GStreamer's own would compile its loops at run time, which the sandbox
//! forbids; without, it takes as long as encoding does.
//!
//! Square pixels come out, whatever shape they had: the size to make is decided by who knows it.

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;

use super::failure::Failure;

glib::wrapper! {
    /// The element; made by [`Scale::to`].
    pub struct Scale(ObjectSubclass<imp::Scale>)
        @extends gstreamer_video::VideoFilter, gstreamer_base::BaseTransform, gst::Element, gst::Object;
}

impl Scale {
    /// A scaler that makes pictures of this size.
    pub fn to(width: u32, height: u32) -> Result<gst::Element, Failure> {
        let scale: Self = glib::Object::new();
        let side = |pixels: u32| {
            i32::try_from(pixels)
                .ok()
                .filter(|pixels| *pixels > 0)
                .ok_or_else(|| Failure::TooMuch(format!("A picture of {width} × {height}.")))
        };
        imp::Scale::set_size(&scale, (side(width)?, side(height)?));
        Ok(scale.upcast())
    }
}

mod imp {
    use std::sync::{LazyLock, Mutex, PoisonError};

    use fast_image_resize::images::{
        TypedCroppedImage, TypedCroppedImageMut, TypedImage, TypedImageRef,
    };
    use fast_image_resize::pixels::U8;
    use fast_image_resize::{ResizeAlg, ResizeOptions, Resizer};
    use gstreamer as gst;
    use gstreamer::glib;
    use gstreamer::subclass::prelude::*;
    use gstreamer_base::prelude::*;
    use gstreamer_base::subclass::BaseTransformMode;
    use gstreamer_base::subclass::prelude::*;
    use gstreamer_video::subclass::prelude::*;
    use gstreamer_video::{VideoFrameExt, VideoFrameRef, VideoInfo};

    use super::super::lanczos::LANCZOS3;

    /// What the element keeps.
    #[derive(Default)]
    pub struct Scale {
        size: Mutex<(i32, i32)>,
        resizer: Mutex<Resizer>,
    }

    impl Scale {
        pub(super) fn set_size(scale: &super::Scale, size: (i32, i32)) {
            *scale
                .imp()
                .size
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = size;
        }

        fn size(&self) -> (i32, i32) {
            *self.size.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Scale {
        const NAME: &'static str = "LecternScale";
        type Type = super::Scale;
        type ParentType = gstreamer_video::VideoFilter;
    }

    impl ObjectImpl for Scale {}
    impl GstObjectImpl for Scale {}

    impl ElementImpl for Scale {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
                gst::subclass::ElementMetadata::new(
                    "Lectern's scaler",
                    "Filter/Converter/Video/Scaler",
                    "Makes I420 pictures of one size into another",
                    "Lectern",
                )
            });
            Some(&*METADATA)
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
                let caps = gst::Caps::builder("video/x-raw")
                    .field("format", "I420")
                    .build();
                let template = |name, direction| {
                    gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &caps)
                };
                [
                    template("src", gst::PadDirection::Src),
                    template("sink", gst::PadDirection::Sink),
                ]
                .into_iter()
                .filter_map(Result::ok)
                .collect()
            });
            TEMPLATES.as_slice()
        }
    }

    impl BaseTransformImpl for Scale {
        const MODE: BaseTransformMode = BaseTransformMode::NeverInPlace;
        const PASSTHROUGH_ON_SAME_CAPS: bool = true;
        const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

        fn transform_caps(
            &self,
            direction: gst::PadDirection,
            caps: &gst::Caps,
            filter: Option<&gst::Caps>,
        ) -> Option<gst::Caps> {
            let (width, height) = self.size();
            let mut other = caps.clone();
            for structure in other.make_mut().iter_mut() {
                if direction == gst::PadDirection::Sink {
                    structure.set("width", width);
                    structure.set("height", height);
                    structure.set("pixel-aspect-ratio", gst::Fraction::new(1, 1));
                } else {
                    structure.set("width", gst::IntRange::new(1, i32::MAX));
                    structure.set("height", gst::IntRange::new(1, i32::MAX));
                    structure.remove_field("pixel-aspect-ratio");
                }
            }
            Some(match filter {
                Some(filter) => filter.intersect_with_mode(&other, gst::CapsIntersectMode::First),
                None => other,
            })
        }
    }

    impl VideoFilterImpl for Scale {
        fn set_info(
            &self,
            _from_caps: &gst::Caps,
            from: &VideoInfo,
            _to_caps: &gst::Caps,
            to: &VideoInfo,
        ) -> Result<(), gst::LoggableError> {
            let is_as_large = (from.width(), from.height()) == (to.width(), to.height());
            self.obj().set_passthrough(is_as_large);
            Ok(())
        }

        fn transform_frame(
            &self,
            from: &VideoFrameRef<&gst::BufferRef>,
            to: &mut VideoFrameRef<&mut gst::BufferRef>,
        ) -> Result<gst::FlowSuccess, gst::FlowError> {
            let mut resizer = self.resizer.lock().unwrap_or_else(PoisonError::into_inner);
            for plane in 0..3 {
                scale(&mut resizer, from, to, plane).ok_or(gst::FlowError::Error)?;
            }
            Ok(gst::FlowSuccess::Ok)
        }
    }

    /// One plane; none when a frame is not what its own description says.
    fn scale(
        resizer: &mut Resizer,
        from: &VideoFrameRef<&gst::BufferRef>,
        to: &mut VideoFrameRef<&mut gst::BufferRef>,
        plane: u32,
    ) -> Option<()> {
        let side = |pixels: u32| {
            if plane == 0 {
                pixels
            } else {
                pixels.div_ceil(2)
            }
        };
        let (width, height) = (side(from.width()), side(from.height()));
        let stride = u32::try_from(*from.plane_stride().get(plane as usize)?).ok()?;
        let bytes = from.plane_data(plane).ok()?;
        let source = TypedImageRef::<U8>::from_buffer(stride, height, bytes).ok()?;
        let source = TypedCroppedImage::new(source, 0, 0, width, height).ok()?;

        let (width, height) = (side(to.width()), side(to.height()));
        let stride = u32::try_from(*to.plane_stride().get(plane as usize)?).ok()?;
        let bytes = to.plane_data_mut(plane).ok()?;
        let target = TypedImage::<U8>::from_buffer(stride, height, bytes).ok()?;
        let mut target = TypedCroppedImageMut::new(target, 0, 0, width, height).ok()?;
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(*LANCZOS3));
        resizer.resize_typed(&source, &mut target, &options).ok()
    }
}
