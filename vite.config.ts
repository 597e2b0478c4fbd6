import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  root: new URL('./renderer', import.meta.url).pathname,
  // Relative: the page is served from app:// in Electron and from a port of the day in the browser shell.
  base: './',
  cacheDir: new URL('./.cache/vite', import.meta.url).pathname,
  plugins: [react()],
  build: {
    outDir: new URL('./dist/renderer', import.meta.url).pathname,
    emptyOutDir: true,
    target: 'chrome120',
    // Both shells send `script-src 'self'` and no data: URLs for fonts: everything is a file with a hashed name.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    chunkSizeWarningLimit: 2000,
  },
  worker: { format: 'es' },
})
