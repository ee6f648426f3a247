/** What is kept of an account and is not in its export: where it is, and how its owner gets it. */
export interface Omission {
  what: string;
  kept: string;
  how: string;
}

export const OMISSIONS: readonly Omission[] = [
  {
    what: 'messages',
    kept: "the chat server's archive",
    how: 'a chat client asks for them: XEP-0313 to your own JID, and to that of each group',
  },
  {
    what: 'messages that wait to be delivered',
    kept: 'the chat server; their number is in chat.waiting_messages',
    how: 'they arrive when a chat client logs in',
  },
  {
    what: "the profile's picture and telephone numbers",
    kept: 'the chat server',
    how: 'a chat client asks for the whole profile: XEP-0054',
  },
  {
    what: 'avatar, OMEMO keys, bookmarks and whatever else clients have published',
    kept: 'items at your nodes of the chat server',
    how: 'a chat client lists the nodes of your own JID (XEP-0030) and their items (XEP-0060)',
  },
  {
    what: 'private data of other names than those in chat.private_data',
    kept: 'the chat server',
    how: 'the client that stored it asks for it by its name: XEP-0049',
  },
  {
    what: 'whom you block, and who has asked to be your contact',
    kept: 'the chat server',
    how: 'a chat client asks for the block list (XEP-0191), and is told of requests when it logs in',
  },
  {
    what: 'what is archived, and where pushes of chats go',
    kept: 'the chat server',
    how: 'the client that has set it shows it: XEP-0441 and XEP-0357',
  },
  {
    what: 'uploaded files',
    kept: "the chat server's disk, without a list",
    how: 'their addresses are in the messages in which you sent them',
  },
  {
    what: 'hashes: of the password, of tokens and of codes',
    kept: 'the chat server, and the tables of the API and of Kamailio',
    how: 'not given to anybody: they open the account to whoever can guess what they are of',
  },
  {
    what: 'lines of logs that name the account or its addresses',
    kept: 'logs of Kamailio and of the chat server, until they are rotated',
    how: 'ask the operator',
  },
];
