// electron-builder's afterPack: turns off in the packed Electron what this program does not need. Strict: a fuse that a
// new Electron adds must be decided here before anything is packed.
import path from 'node:path'
import { flipFuses, FuseV1Options, FuseVersion } from '@electron/fuses'

/** All nine fuses of Electron 45. @type {import('@electron/fuses').FuseV1Config<boolean>} */
export const fuses = {
  version: FuseVersion.V1,
  strictlyRequireAllFuses: true,
  [FuseV1Options.RunAsNode]: false,
  [FuseV1Options.EnableCookieEncryption]: true,
  [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
  [FuseV1Options.EnableNodeCliInspectArguments]: false,
  [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
  [FuseV1Options.OnlyLoadAppFromAsar]: true,
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  // The page comes over app://, so file: needs no rights.
  [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
  [FuseV1Options.WasmTrapHandlers]: true,
}

/**
 * Where electron-builder puts the executable.
 * @param {{ appOutDir: string, electronPlatformName: string, productName: string, executableName: string }} packed
 */
export function packedBinary({ appOutDir, electronPlatformName, productName, executableName }) {
  if (electronPlatformName === 'darwin' || electronPlatformName === 'mas') {
    return path.join(appOutDir, `${productName}.app`, 'Contents/MacOS', productName)
  }
  return path.join(appOutDir, electronPlatformName === 'win32' ? `${productName}.exe` : executableName)
}

/** @param {import('electron-builder').AfterPackContext} context */
export default async function afterPack(context) {
  const { appOutDir, electronPlatformName, packager } = context
  const executableName =
    'executableName' in packager && typeof packager.executableName === 'string'
      ? packager.executableName
      : packager.appInfo.productFilename
  const binary = packedBinary({
    appOutDir,
    electronPlatformName,
    productName: packager.appInfo.productFilename,
    executableName,
  })
  await flipFuses(binary, { ...fuses, resetAdHocDarwinSignature: electronPlatformName === 'darwin' })
}
