%% Erlang expressions, evaluated once ejabberd runs (see entrypoint.sh).
%%
%% A slot for an upload is good for five hours, also when its account is deleted meanwhile: a file that was on its way
%% would come to lie in the folder of an account that is gone, and stay. So the slots go first, then the folder
%% (mod_http_upload does that at 50). They are the one map in the state of mod_http_upload, by [Folder, Secret, File].
[ok = ejabberd_hooks:add(remove_user, Host, fun (User, Server) ->
   Folder = str:sha(<<User/binary, $@, Server/binary>>),
   Forget = fun (Slots) when is_map(Slots) -> maps:filter(fun ([Owner | _], _) -> Owner =/= Folder end, Slots);
                (Other) -> Other
            end,
   Service = mod_http_upload:get_proc_name(Server, mod_http_upload),
   sys:replace_state(Service, fun (State) -> list_to_tuple([Forget(Part) || Part <- tuple_to_list(State)]) end)
 end, 10) || Host <- ejabberd_option:hosts()].
