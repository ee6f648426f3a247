%% The command verify_password of the admin API: whether a password is an account's, like check_password, but its key is
%% derived (PBKDF2, RFC 8018) by OpenSSL instead of in Erlang. A login takes a quarter of the time. entrypoint.sh compiles
%% and registers it.
-module(veil_passwords).
-export([register/0, verify/3]).
-include_lib("ejabberd/include/ejabberd_commands.hrl").

register() ->
  ejabberd_commands:register_commands([#ejabberd_commands{
    name = verify_password,
    tags = [accounts],
    desc = "Whether the password is the account's: 0 if it is, 1 if it is not or there is no such account",
    module = ?MODULE,
    function = verify,
    args = [{user, binary}, {host, binary}, {password, binary}],
    result = {res, rescode}
  }]).

verify(User, Host, Password) ->
  case {ejabberd_auth:get_password(User, Host), jid:resourceprep(Password)} of
    {false, _} -> false;
    {_, error} -> false;
    %% Stored as RFC 5802 has it: {scram, StoredKey, ServerKey, Salt, Hash, IterationCount}.
    {{scram, StoredKey, _, Salt, Hash, Count}, Prepared} ->
      Derived = crypto:pbkdf2_hmac(Hash, Prepared, base64:decode(Salt), Count, maps:get(size, crypto:hash_info(Hash))),
      crypto:hash_equals(scram:stored_key(Hash, scram:client_key(Hash, Derived)), base64:decode(StoredKey));
    %% Another form, of another version or of before: ejabberd knows it.
    _ -> ejabberd_auth:check_password(User, <<>>, Host, Password)
  end.
