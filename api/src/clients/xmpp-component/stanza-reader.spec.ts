import { describe, expect, it } from '@jest/globals';
import { StanzaReader } from './stanza-reader.js';

const OPENING =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='7'>";

function reader() {
  const heard: string[] = [];
  const stanzas = new StanzaReader({
    onOpen: ({ id }) => heard.push(`open ${id}`),
    onStanza: (stanza) => heard.push(stanza.toString()),
    onEnd: () => heard.push('end'),
  });
  return { heard, write: (text: string) => stanzas.write(text) };
}

describe('a reader of stanzas', () => {
  it('cuts a stream into its stanzas, wherever the wire has cut it', () => {
    const { heard, write } = reader();
    const text = `${OPENING} <iq id='1'><a xmlns='urn:a'>x &lt;<![CDATA[ & ]]></a></iq>\n<message to='b'/></stream:stream>`;
    for (const character of text) write(character);
    expect(heard).toEqual([
      'open 7',
      '<iq id="1" xmlns="jabber:component:accept"><a xmlns="urn:a">x &lt; &amp; </a></iq>',
      '<message to="b" xmlns="jabber:component:accept"/>',
      'end',
    ]);
  });

  it('knows elements by their namespace, whatever their prefix is', () => {
    const { heard, write } = reader();
    write(`${OPENING}<iq xmlns:p='urn:p'><p:ping p:at='1' at='2'/></iq>`);
    expect(heard[1]).toContain('<ping at="2" xmlns="urn:p"/>');
  });

  it.each([
    ['no XML', '<iq><a></iq>', 'not-well-formed'],
    ['an unknown prefix', '<x:iq/>', 'not-well-formed'],
    ['an entity of nobody', '<iq>&lol;</iq>', 'not-well-formed'],
    ['a comment', '<!-- hello -->', 'restricted-xml'],
    ['a processing instruction', '<?php evil ?>', 'restricted-xml'],
    ['an endless stanza', `<iq>${'x'.repeat(65_536)}`, 'policy-violation'],
    ['an endless tag', `<${'x'.repeat(65_536)}`, 'policy-violation'],
  ])('refuses %s', (_, text, condition) => {
    const { write } = reader();
    write(OPENING);
    expect(() => write(text)).toThrow(condition);
  });

  it('refuses a document type, and what is no stream', () => {
    expect(() => reader().write('<!DOCTYPE a [<!ENTITY lol "lol">]><a/>')).toThrow('restricted-xml');
    expect(() => reader().write("<html xmlns='http://www.w3.org/1999/xhtml'>")).toThrow('invalid-namespace');
  });

  it('leaves out what stands too deep', () => {
    const { heard, write } = reader();
    write(`${OPENING}<iq>${'<a>'.repeat(2000)}deep${'</a>'.repeat(2000)}<b/></iq><message/>`);
    expect(heard[1]!.match(/<a/g)).toHaveLength(31);
    expect(heard[1]).not.toContain('deep');
    expect(heard[1]).toMatch(/<b [^>]*><\/iq>$/);
    expect(heard).toHaveLength(3);
  });

  it('counts each stanza anew', () => {
    const { heard, write } = reader();
    write(OPENING);
    for (let times = 0; times < 10; times += 1) write(`<iq>${'x'.repeat(30_000)}</iq>`);
    expect(heard).toHaveLength(11);
  });
});
