// Choosing the language of the page, for this device. Each is written in itself, so that it is found by who reads only that.

import { toast } from '../model/state';
import { choice, choose, LANGUAGES, say, type Choice } from '../words';
import { languageOf } from '../words/languages';

export function LanguageField() {
  const change = (to: Choice) => void choose(to).catch(() => toast(say('language.failed')));
  return (
    <label className="block">
      <span className="text-sm font-medium">{say('language.title')}</span>
      <select name="language" className="field mt-1 text-sm" value={choice()} onChange={(event) => change(event.target.value as Choice)}>
        <option value="browser">{say('language.browser', { language: LANGUAGES[languageOf('browser', navigator.languages)] })}</option>
        {Object.entries(LANGUAGES).map(([language, name]) => <option key={language} value={language} lang={language}>{name}</option>)}
      </select>
    </label>
  );
}
