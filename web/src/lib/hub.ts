/** Words of the Hub that results can be chosen by. */
import type { Found } from '../api/hub-types';

/** Orders of results; the first is the one without a choice. */
export const SORTS = ['trendingScore', 'downloads', 'likes', 'lastModified', 'createdAt'] as const;

export const TASKS = [
  'text-generation', 'image-text-to-text', 'text-to-image', 'image-to-image', 'text-to-video', 'automatic-speech-recognition',
  'text-to-speech', 'feature-extraction', 'sentence-similarity', 'text-classification', 'token-classification', 'translation',
  'summarization', 'question-answering', 'fill-mask', 'image-classification', 'object-detection', 'image-segmentation',
] as const;

/** Datasets name their tasks by `task_categories:…`. */
export const DATASET_TASKS = [
  'text-generation', 'question-answering', 'text-classification', 'translation', 'summarization',
  'automatic-speech-recognition', 'image-classification', 'image-to-text',
] as const;

export const LIBRARIES = [
  ['gguf', 'GGUF'], ['safetensors', 'Safetensors'], ['transformers', 'Transformers'], ['diffusers', 'Diffusers'], ['onnx', 'ONNX'],
  ['mlx', 'MLX'], ['peft', 'PEFT (LoRA)'], ['sentence-transformers', 'Sentence Transformers'],
] as const;

/** Sizes of models, in parameters, that a search can be kept below. */
export const SIZES = ['1B', '3B', '8B', '14B', '32B', '72B', '130B'] as const;

/** The filter of a search: all tags must fit. */
export function filterOf(datasets: boolean, task: string, library: string): string {
  return [datasets && task !== '' ? `task_categories:${task}` : task, datasets ? '' : library].filter((part) => part !== '').join(',');
}

/** The first tag with this prefix, without it: `license:mit` → `mit`. */
export function tagged(tags: string[], prefix: string): string {
  return tags.find((tag) => tag.startsWith(prefix))?.slice(prefix.length) ?? '';
}

export const isGated = (found: Pick<Found, 'gated'>): boolean => found.gated !== false && found.gated !== '';

/** Whether a text could be the id of a repo. */
export function looksLikeId(text: string): boolean {
  return /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(text.trim());
}
