/**
 * Every table of both databases: those that hold something of accounts, and why the others don't. A deletion has to
 * empty the former, an export to tell of them: a new table belongs in one of the lists, and whoever adds it to the first
 * has `WholeLife` put something into it.
 */
export const TABLES_OF_ACCOUNTS: readonly string[] = [
  ...['account_codes', 'accounts', 'call_events', 'calls', 'contacts', 'device_challenges'],
  ...['devices', 'group_members', 'groups', 'location'],
  ...['mails', 'pairing_codes', 'pairings', 'password_changes', 'push_nodes', 'push_registrations', 'relay_messages'],
  ...['session_endings', 'sessions', 'subscriber', 'used_refresh_tokens'],
  // ejabberd's
  ...['archive', 'archive_prefs', 'muc_room', 'muc_room_subscribers', 'privacy_default_list', 'privacy_list'],
  ...['privacy_list_data', 'private_storage', 'pubsub_item', 'pubsub_node', 'pubsub_state', 'push_session'],
  ...['rostergroups', 'rosterusers', 'spool', 'users', 'vcard', 'vcard_search'],
];

export const TABLES_OF_NOBODY: Readonly<Record<string, string>> = {
  alerts: 'how servers are',
  invites: 'codes that the operator gave away, and not to whom',
  location_attrs: 'Kamailio writes none with our configuration',
  monitor_lease: 'a random id of a process',
  removed_rooms: 'random ids of rooms that are gone',
  retired_names: 'hashes of names whose accounts are gone',
  schema_migrations: 'versions of the schema',
  version: 'versions of tables',
  // ejabberd's
  caps_features: 'what kinds of clients can do',
  muc_registered: 'nobody may reserve a nickname',
  pubsub_node_option: 'settings of a node, and go with it',
  sr_group: 'the list of the suspended, without them',
  sr_user: 'who is suspended: while it lasts, and while an account is removed',
  ...unused('its module is off', 'last', 'motd', 'mqtt_pub', 'oauth_client', 'oauth_token', 'proxy65'),
  ...unused('its module is off', 'mix_channel', 'mix_pam', 'mix_participant', 'mix_subscription'),
  ...unused('kept in memory instead', 'bosh', 'muc_online_room', 'muc_online_users', 'route', 'sm'),
  ...unused('the owner of a node stands in pubsub_state', 'pubsub_node_owner'),
  ...unused('versions of contact lists are computed', 'roster_version'),
  ...unused('no node has subscriptions with options', 'pubsub_subscription_opt'),
};

function unused(why: string, ...tables: string[]): Record<string, string> {
  return Object.fromEntries(tables.map((table) => [table, why]));
}
