// A workspace that looks lived in: people, channels, a conversation with everything that a message can be.

import type { Api, Person } from './api';

export async function furnish(api: Api): Promise<{ ann: Person; room: string; everybody: Person[] }> {
  const names = ['Ann Lee', 'Ben Okafor', 'Clara Lindqvist', 'Dmitri', 'Emi Tanaka', 'Farid Haddad'];
  const everybody: Person[] = [];
  for (const name of names) everybody.push(await api.person(name));
  const [ann, ben, clara, dmitri, emi, farid] = everybody as [Person, Person, Person, Person, Person, Person];
  const workspace = await api.room(ann, 'workspace', { name: 'Acme' }, everybody.slice(1));
  const channel = (name: string, topic: string, members: Person[]) => api.room(ann, 'channel', { name, topic, workspace, public: true }, members);
  const general = await channel('general', 'What everybody should know', everybody.slice(1));
  const design = await channel('design', '', [ben, clara]);
  const room = await channel('release', 'Getting 2.4 out of the door', everybody.slice(1));
  const secret = await api.room(ann, 'channel', { name: 'hiring', workspace }, [clara]);
  for (const [other, text] of [[ben, 'Lunch at one?'], [clara, 'The numbers look good.'], [emi, 'ありがとう!']] as const) await api.post(other, await api.room(other, 'direct', {}, [ann]), text);
  await api.post(farid, await api.room(farid, 'group', { name: 'Weekend ride' }, [ann, ben]), 'Saturday, nine, at the bridge. Bring lights.');
  await api.post(ben, general, `Welcome, <@${emi.id}>!`);
  await api.post(clara, design, 'New icons are in.');
  await api.post(clara, secret, `<@${ann.id}> can you join the call with the candidate at four?`);
  const say = (by: Person, text: string, reply?: number) => api.post(by, room, text, reply);
  await say(ben, 'Morning! The build is green again. It was the clock test, it depended on the time zone of the machine.');
  await say(ben, 'Fix is in, two lines.');
  const question = await say(clara, 'Shall we cut the release today, or wait for the importer?');
  await say(ann, 'I would wait. The importer still reads this wrong:');
  await say(ann, '```rust\nfn parse(line: &str) -> Result<Message, Error> {\n    let message: Message = serde_json::from_str(line)?;\n    Ok(message)\n}\n```');
  await say(dmitri, 'Agreed. Three things are left:\n\n1. names with an umlaut\n2. lines longer than *16 KiB*\n3. the `thread` field, see https://example.org/issues/42');
  await say(emi, 'I can take the first one.', question.seq);
  const praise = await say(farid, `**Great.** <@${ann.id}> could you look at the second? > it should say which line it was`);
  for (const [by, emoji] of [[ann, '🎉'], [ben, '🎉'], [clara, '🎉'], [emi, '👀'], [dmitri, '👍']] as const) await api.ask('PUT', `/v1/rooms/${room}/messages/${praise.seq}/reactions/${encodeURIComponent(emoji)}`, by);
  await say(ann, 'On it.');
  await say(clara, 'Then tomorrow at ten. I will write the notes tonight, so if anything user-visible changed on your side, put a line into the changelog, please; short is fine, it does not have to be poetry.');
  await say(dmitri, '🚀');
  return { ann, room, everybody };
}
