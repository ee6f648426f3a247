%% Erlang expressions, evaluated once ejabberd runs (see entrypoint.sh): what its removal of an account leaves out. The
%% hooks run before those of its modules, which are at 50.
%%
%% A slot for an upload is good for five hours, also when its account is deleted meanwhile: a file that was on its way
%% would come to lie in the folder of an account that is gone, and stay. Slots are the one map in the state of
%% mod_http_upload, by [Folder, Secret, File].
ForgetSlots = fun (User, Server) ->
  Folder = str:sha(<<User/binary, $@, Server/binary>>),
  Forget = fun (Slots) when is_map(Slots) -> maps:filter(fun ([Owner | _], _) -> Owner =/= Folder end, Slots);
               (Other) -> Other
           end,
  Service = mod_http_upload:get_proc_name(Server, mod_http_upload),
  sys:replace_state(Service, fun (State) -> list_to_tuple([Forget(Part) || Part <- tuple_to_list(State)]) end)
end.

%% mod_roster ends subscriptions, but not the requests for one: whoever has the name next would get the answer. A contact
%% is {roster, _, _, Jid, Name, Subscription, Ask, ...}.
WithdrawRequests = fun (User, Server) ->
  Send = fun (Contact, Type) ->
    Presence = {xmlel, <<"presence">>, [{<<"type">>, Type}], []},
    Stanza = xmpp:decode(Presence, <<"jabber:client">>, []),
    ejabberd_router:route(xmpp:set_from_to(Stanza, jid:make(User, Server), jid:make(Contact)))
  end,
  [case element(7, Contact) of
     in -> Send(element(4, Contact), <<"unsubscribed">>);
     out -> Send(element(4, Contact), <<"unsubscribe">>);
     both -> Send(element(4, Contact), <<"unsubscribed">>), Send(element(4, Contact), <<"unsubscribe">>);
     _ -> none
   end || Contact <- mod_roster:get_roster(User, Server)]
end.

[ok = ejabberd_hooks:add(remove_user, Host, Hook, 10)
 || Host <- ejabberd_option:hosts(), Hook <- [ForgetSlots, WithdrawRequests]].
