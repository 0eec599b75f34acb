/** Starts the pages. */
import { mount } from 'svelte';
import App from './App.svelte';
import { at } from './lib/base';
import './styles/app.css';

// The page finds the icon relative to its own URL, which changes from page to page.
document.querySelector<HTMLLinkElement>('link[rel="icon"]')?.setAttribute('href', at('icon.svg'));

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no #app');
mount(App, { target });
