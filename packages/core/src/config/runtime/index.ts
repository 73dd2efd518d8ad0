export { changedSettings, EffectiveConfig, type RefusedSetting } from "./effective-config.js";
export { RuntimeConfiguration, type SettingAudit } from "./runtime-configuration.js";
export {
  settingSources,
  settingStates,
  settingTypes,
  type Setting,
  type SettingExplanation,
  type SettingLayer,
  type SettingSource,
  type SettingTest,
  type StoredSettingView,
} from "./setting.js";
export { storedSettings } from "./stored-settings.js";
export { guardOf } from "./setting-guards.js";
export { idOfSetting, settingKeys, settingOf, startKeys, type SettingKey } from "./setting-keys.js";
