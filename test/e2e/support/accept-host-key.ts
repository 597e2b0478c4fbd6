import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** Accepts the next host key question, wherever on the page it comes up, and waits until it has gone or another follows. */
export async function acceptHostKey(on: Page): Promise<void> {
  const dialog = on.getByRole('dialog', { name: 'Unknown host key' })
  await dialog.waitFor()
  // All of its words: hosts that share their files also share a key.
  const words = () => dialog.innerText({ timeout: 500 }).catch(() => '')
  const asked = await words()
  await dialog.getByRole('button', { name: 'Accept and pin' }).click()
  await expect.poll(async () => ((await dialog.isVisible()) ? words() : ''), { timeout: 10_000 }).not.toBe(asked)
}
