%% TURN credentials over XMPP (XEP-0215) without a trace of whose they are. mod_stun_disco makes the TURN user of a hash of
%% the full JID: who reads the relay's logs and has a guess verifies it, and each session is another user, with a quota of its
%% own. Here it is asked in the name of a pseudonym that takes our secret to find out, and that is the account's alone.
%% entrypoint.sh compiles and registers it.
-module(veil_turn).
-export([register/0, process_iq/1]).

register() ->
  [ok = gen_iq_handler:add_iq_handler(ejabberd_local, Host, <<"urn:xmpp:extdisco:2">>, ?MODULE, process_iq)
   || Host <- ejabberd_option:hosts(), gen_mod:is_loaded(Host, mod_stun_disco)],
  ok.

process_iq(IQ) ->
  From = xmpp:get_from(IQ),
  {_, Host, _} = jid:tolower(xmpp:get_to(IQ)),
  Answer = mod_stun_disco:process_iq(xmpp:set_from(IQ, pseudonym(From, mod_stun_disco_opt:secret(Host)))),
  xmpp:set_to(Answer, From).

pseudonym(JID, Secret) ->
  Account = jid:remove_resource(jid:tolower(JID)),
  {_, Host, _} = Account,
  jid:make(binary:encode_hex(crypto:mac(hmac, sha256, Secret, jid:encode(Account))), Host).
