//! Models that look at pictures.

use serde::Serialize;
use utoipa::ToSchema;

use super::view::{View, is_model_type};

/// The `vision` object.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs)] // The keys of preprocessor_config.json.
pub struct Vision {
    pub task: &'static str,
    pub task_description: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_processor_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<ImageSize>,
    pub num_channels: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_labels: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalization: Option<Normalization>,
    pub framework: &'static str,
}

/// In pixels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[allow(missing_docs)] // Height and width.
pub struct ImageSize {
    pub height: u64,
    pub width: u64,
}

/// For each channel.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs)] // Mean and standard deviation.
pub struct Normalization {
    pub mean: Vec<f64>,
    pub std: Vec<f64>,
}

pub(super) fn analyze(view: &View<'_>) -> Vision {
    let config = view.config("config.json");
    let preprocessor = view.config("preprocessor_config.json");
    let (task, task_description) = task(view);
    let mean = preprocessor.floats("image_mean");
    let std = preprocessor.floats("image_std");
    let labels = config
        .get("id2label")
        .0
        .and_then(|value| Some(value.as_object()?.len() as u64));
    Vision {
        task,
        task_description,
        image_processor_type: preprocessor
            .text("image_processor_type")
            .or_else(|| preprocessor.text("feature_extractor_type")),
        image_size: image_size(view),
        num_channels: config.number("num_channels").unwrap_or(3),
        num_labels: config.number("num_labels").or(labels),
        normalization: (!mean.is_empty() || !std.is_empty()).then_some(Normalization { mean, std }),
        framework: view.framework(),
    }
}

/// `size` is an object with height and width or `shortest_edge`, or a number; else
/// `config.json` has `image_size`.
pub(super) fn image_size(view: &View<'_>) -> Option<ImageSize> {
    let square = |side| ImageSize {
        height: side,
        width: side,
    };
    let preprocessor = view.config("preprocessor_config.json");
    let size = preprocessor.get("size");
    if let (Some(height), Some(width)) = (size.number("height"), size.number("width")) {
        return Some(ImageSize { height, width });
    }
    let config = view.config("config.json");
    size.number("shortest_edge")
        .or_else(|| preprocessor.number("size"))
        .or_else(|| config.number("image_size"))
        .or_else(|| config.get("vision_config").number("image_size"))
        .map(square)
}

fn task(view: &View<'_>) -> (&'static str, &'static str) {
    const DETECTION: (&str, &str) = ("object-detection", "Object detection");
    const SEGMENTATION: (&str, &str) = ("image-segmentation", "Image segmentation");
    let model_type = view.model_type();
    let architecture = view.architecture().unwrap_or_default();
    let is = |names: &[&str]| is_model_type(&model_type, names);
    let depth = is(&["dpt", "depth_anything", "zoedepth", "glpn", "depth_pro"]);
    if is(&[
        "detr",
        "conditional_detr",
        "deformable_detr",
        "rt_detr",
        "yolos",
        "yolo",
    ]) {
        DETECTION
    } else if is(&["segformer", "mask2former", "maskformer", "oneformer"]) {
        SEGMENTATION
    } else if depth || architecture.ends_with("DepthEstimation") {
        ("depth-estimation", "Depth estimation")
    } else if architecture.ends_with("Detection") {
        DETECTION
    } else if architecture.ends_with("Segmentation") {
        SEGMENTATION
    } else {
        ("image-classification", "Image classification")
    }
}
