//! Diffusers pipelines: components, variants, and one weight format for each component.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::model::size::human_size;

use super::formats::{support_files, with_support};
use super::items::{Part, total};
use super::report::Category;
use super::view::View;
use super::weights::{Family, Weight};

/// The `diffusers` object.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Diffusers {
    /// Class of the pipeline.
    pub pipeline_type: String,
    /// The class in words.
    pub pipeline_description: String,
    /// Version that wrote the repo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diffusers_version: Option<String>,
    /// What the pipeline is made of.
    pub components: Vec<Component>,
    /// Variants in file names, such as `fp16`.
    pub variants: Vec<String>,
    /// Precisions that the repo holds.
    pub precisions: Vec<String>,
}

/// One component of a pipeline, a folder of the repo.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DiffusersComponent)]
pub struct Component {
    /// Name of the folder.
    pub name: String,
    /// `diffusers`, `transformers` or the author's own.
    pub library: String,
    /// Class in that library.
    pub class_name: String,
    /// Bytes of all its files.
    pub size: u64,
    /// The same for people.
    pub size_human: String,
    /// Paths of all its files.
    pub files: Vec<String>,
    /// Whether the pipeline cannot run without it.
    pub required: bool,
}

/// Components that pipelines run without.
const OPTIONAL: [&str; 4] = [
    "safety_checker",
    "feature_extractor",
    "image_encoder",
    "watermarker",
];

/// Beginnings of class names and what they are.
const PIPELINES: [(&str, &str); 12] = [
    ("StableDiffusionXL", "Stable Diffusion XL"),
    ("StableDiffusion3", "Stable Diffusion 3"),
    ("StableDiffusion", "Stable Diffusion"),
    ("StableVideoDiffusion", "Stable Video Diffusion"),
    ("FluxKontext", "FLUX Kontext"),
    ("Flux", "FLUX"),
    ("PixArt", "PixArt"),
    ("Kandinsky", "Kandinsky"),
    ("Wan", "Wan video"),
    ("QwenImage", "Qwen-Image"),
    ("LTX", "LTX video"),
    ("HunyuanVideo", "Hunyuan video"),
];

pub(super) fn analyze(view: &View<'_>) -> (Diffusers, Vec<Part>) {
    let config = view.config("model_index.json");
    let class = config.text("_class_name").unwrap_or_default();
    let known = PIPELINES.iter().find(|(begin, _)| class.starts_with(begin));
    let components = components(view);
    let folders: BTreeSet<&str> = components
        .iter()
        .map(|component| component.name.as_str())
        .collect();
    let sets = weight_sets(view, &folders);
    let mut variants: Vec<String> = sets.keys().flatten().cloned().collect();
    variants.dedup();
    let mut precisions = variants.clone();
    if sets.contains_key(&None) {
        precisions.insert(0, "fp32".to_owned());
    }
    let parts = parts(view, &sets, &components);
    let diffusers = Diffusers {
        pipeline_description: known.map_or_else(
            || "Diffusion pipeline".to_owned(),
            |(_, words)| (*words).to_owned(),
        ),
        pipeline_type: class,
        diffusers_version: config.text("_diffusers_version"),
        components,
        variants,
        precisions,
    };
    (diffusers, parts)
}

/// The entries of `model_index.json` that name a library and a class.
fn components(view: &View<'_>) -> Vec<Component> {
    let Some(Value::Object(index)) = view.config("model_index.json").0 else {
        return Vec::new();
    };
    let mut components = Vec::new();
    for (name, value) in index.iter().filter(|(name, _)| !name.starts_with('_')).take(50) {
        let Some([Value::String(library), Value::String(class)]) = value.as_array().map(Vec::as_slice) else {
            continue;
        };
        let prefix = format!("{name}/");
        let files: Vec<usize> = (0..view.paths.len())
            .filter(|i| view.paths[*i].starts_with(&prefix))
            .collect();
        if files.is_empty() {
            continue;
        }
        let size = total(view.files, &files);
        components.push(Component {
            name: name.clone(),
            library: library.clone(),
            class_name: class.clone(),
            size,
            size_human: human_size(size),
            files: files.iter().map(|i| view.paths[*i].to_owned()).collect(),
            required: !OPTIONAL.contains(&name.as_str()),
        });
    }
    components
}

/// For each variant: by component the files that it needs, in one format.
///
/// A component without files of the variant gives its plain ones, as the library does for
/// components that were never saved in it; safetensors wins over pickled weights.
fn weight_sets<'a>(
    view: &'a View<'_>,
    folders: &BTreeSet<&str>,
) -> BTreeMap<Option<String>, BTreeMap<&'a str, Vec<usize>>> {
    let mut by_folder: BTreeMap<&str, Vec<&Weight>> = BTreeMap::new();
    let mut variants: BTreeSet<Option<String>> = BTreeSet::new();
    for weight in &view.weights {
        let folder = view.paths[weight.index]
            .split_once('/')
            .map_or("", |(folder, _)| folder);
        if folders.contains(folder) && matches!(weight.family, Family::Safetensors | Family::Pytorch) {
            by_folder.entry(folder).or_default().push(weight);
            variants.insert(weight.variant.clone());
        }
    }
    let pick = |weights: &[&Weight], variant: &Option<String>| {
        let wishes = [
            (Family::Safetensors, variant),
            (Family::Pytorch, variant),
            (Family::Safetensors, &None),
            (Family::Pytorch, &None),
        ];
        wishes.into_iter().find_map(|(family, variant)| {
            let fits = |w: &&&Weight| w.family == family && w.variant == *variant;
            let found: Vec<usize> = weights.iter().filter(fits).map(|w| w.index).collect();
            (!found.is_empty()).then_some(found)
        })
    };
    let mut sets = BTreeMap::new();
    for variant in variants {
        let mut set = BTreeMap::new();
        for (folder, weights) in &by_folder {
            if let Some(files) = pick(weights, &variant) {
                set.insert(*folder, files);
            }
        }
        // Some component has only variants and this is not one of them: no whole pipeline.
        if set.len() == by_folder.len() {
            sets.insert(variant, set);
        }
    }
    sets
}

fn parts(
    view: &View<'_>,
    sets: &BTreeMap<Option<String>, BTreeMap<&str, Vec<usize>>>,
    components: &[Component],
) -> Vec<Part> {
    let support = support_files(view);
    let wishes = [Some("fp16".to_owned()), Some("bf16".to_owned()), None];
    let best = wishes
        .iter()
        .find(|variant| sets.contains_key(*variant))
        .or_else(|| sets.keys().next());
    let mut parts = Vec::new();
    for (variant, set) in sets {
        let mut files: Vec<usize> = set.values().flatten().copied().collect();
        files.extend(&support);
        let (id, label) = match variant {
            Some(name) => (name.clone(), format!("Pipeline in {name}")),
            None => ("default".to_owned(), "Pipeline in full precision".to_owned()),
        };
        let mut part = Part::new(Category::Variant, &id, &label, files);
        part.description = "every component, one weight format each".to_owned();
        part.recommended = best == Some(variant);
        if let Some(name) = variant {
            part.naturals.push(name.clone());
            part.naturals
                .push(with_support(view, format!("*.{name}*.safetensors"), &support));
        }
        parts.push(part);
    }
    if let Some(set) = best.and_then(|best| sets.get(best)) {
        parts.extend(
            components
                .iter()
                .filter_map(|c| component_part(view, set, &support, c)),
        );
    }
    parts.extend(other_parts(view));
    // A pipeline of one variant and nothing beside it is no choice.
    if sets.len() == 1
        && parts
            .iter()
            .all(|part| matches!(part.category, Category::Variant | Category::Component))
    {
        parts.retain(|part| part.category == Category::Component);
        parts.iter_mut().for_each(|part| part.recommended = false);
    }
    parts
}

/// A component as the recommended variant has it.
fn component_part(
    view: &View<'_>,
    set: &BTreeMap<&str, Vec<usize>>,
    support: &[usize],
    component: &Component,
) -> Option<Part> {
    let name = component.name.as_str();
    let prefix = format!("{name}/");
    let mut files = set.get(name).cloned().unwrap_or_default();
    files.extend(support.iter().filter(|i| view.paths[**i].starts_with(&prefix)));
    if files.is_empty() {
        return None;
    }
    let mut part = Part::new(Category::Component, name, name, files);
    part.description = format!("{} of {}", component.class_name, component.library);
    part.recommended = component.required;
    part.naturals = vec![prefix.clone(), format!("{prefix}*")];
    Some(part)
}

/// Checkpoints in one file at the root, and formats for other runtimes.
fn other_parts(view: &View<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut others: BTreeMap<Family, Vec<usize>> = BTreeMap::new();
    for weight in &view.weights {
        let path = view.paths[weight.index];
        if !matches!(weight.family, Family::Safetensors | Family::Pytorch) {
            others.entry(weight.family).or_default().push(weight.index);
        } else if !path.contains('/') {
            let mut part = Part::new(Category::Format, &path.to_lowercase(), path, vec![weight.index]);
            part.description = "single file, for ComfyUI and kin".to_owned();
            part.naturals.push(path.to_lowercase());
            parts.push(part);
        }
    }
    for (family, files) in others {
        let (id, label, description, quality) = family.words();
        let mut part = Part::new(Category::Format, id, label, files);
        part.description = description.to_owned();
        part.quality = Some(quality);
        part.naturals.push(family.natural_filter().to_owned());
        parts.push(part);
    }
    parts
}
