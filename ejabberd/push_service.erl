%% Erlang expressions, evaluated once ejabberd runs (see entrypoint.sh): what ejabberd leaves out between itself and the
%% push service, which is the API, a component at push.<host> (XEP-0114, XEP-0357).
%%
%% A push that finds the component away makes ejabberd end the push session: after a restart of the API, devices would
%% stay silent until their apps start again. Here such pushes are held, and go out when the component is back. One that
%% is held says the same as the next for the same device, so each counts once. The waiting ends a session in no case:
%% mod_push takes silence for "not now".
MostHeld = 10000.

Components = fun (Service) ->
  {ok, Routes} = (ejabberd_router:get_backend()):find_routes(Service),
  [Pid || Route <- Routes, Pid <- tuple_to_list(Route), is_pid(Pid)]
end.

%% To the process of a connection. If that ends at this moment the push is lost, and its session stays; the router would
%% look for another server, and the session would end.
HandOver = fun (Packet, Pids) -> lists:nth(rand:uniform(length(Pids)), Pids) ! {route, Packet} end.

Keeper = spawn(fun () ->
  Keep = fun Keep (Held) ->
    receive
      {push, Service, Packet} ->
        case Components(Service) of
          [] when map_size(Held) < MostHeld -> Keep(Held#{{Service, xmpp:get_els(Packet)} => Packet});
          [] -> Keep(Held);
          Pids -> HandOver(Packet, Pids), Keep(Held)
        end;
      {connected, Service} ->
        Of = fun ({To, _}, _) -> To =:= Service end,
        [self() ! {push, Service, Packet} || Packet <- maps:values(maps:filter(Of, Held))],
        Keep(maps:filter(fun (Key, Packet) -> not Of(Key, Packet) end, Held));
      _ ->
        Keep(Held)
    end
  end,
  Keep(#{})
end).

%% What an account sends to the push service, and what it adds to its pushes when it enables them, must not break the
%% connection of everybody: the API closes one on which something huge comes. A publication is a tenth of that.
TooLarge = fun (Packet) -> byte_size(fxml:element_to_binary(xmpp:encode(Packet))) > 8192 end.

%% What a host itself publishes to its push service is handed over or held. All else takes its usual way.
ToService = fun (Packet, Service, Host) ->
  Publisher = jid:tolower(xmpp:get_from(Packet)),
  Published = element(1, Packet) =:= iq andalso xmpp:get_type(Packet) =:= set andalso Publisher =:= {<<>>, Host, <<>>},
  case TooLarge(Packet) of
    true -> ejabberd_router:route_error(Packet, xmpp:err_not_acceptable()), drop;
    false when Published ->
      case Components(Service) of
        [] -> Keeper ! {push, Service, Packet};
        Pids -> HandOver(Packet, Pids)
      end,
      drop;
    false -> Packet
  end
end.

Services = maps:from_list([{<<"push.", Host/binary>>, Host} || Host <- ejabberd_option:hosts()]).

ToComponent = fun (Packet) when is_tuple(Packet) ->
      {_, Domain, _} = jid:tolower(xmpp:get_to(Packet)),
      case Services of
        #{Domain := Host} -> ToService(Packet, Domain, Host);
        _ -> Packet
      end;
    (Dropped) -> Dropped
end.

ok = ejabberd_hooks:add(filter_packet, ToComponent, 50).
ok = ejabberd_hooks:add(component_connected, fun (Service) -> Keeper ! {connected, Service} end, 50).

%% The push service's word that a device is registered no more (XEP-0357 §9), which ejabberd does not know: the push
%% session of that node ends, whichever account of the host it is addressed to.
EndSession = fun (Service, {User, Host, _}, PubSub) when Service =:= <<"push.", Host/binary>> ->
      Affiliation = fxml:get_subtag(PubSub, <<"affiliation">>),
      case Affiliation =/= false andalso fxml:get_tag_attr_s(<<"affiliation">>, Affiliation) of
        <<"none">> ->
          Node = fxml:get_tag_attr_s(<<"node">>, PubSub),
          case (gen_mod:db_mod(Host, mod_push)):lookup_session(User, Host, jid:make(Service), Node) of
            {ok, {Time, _, _, _}} -> mod_push:delete_session(User, Host, Time);
            _ -> none
          end;
        _ -> none
      end;
    (_, _, _) -> none
end.

FromComponent = fun ({Packet, State}) when element(1, Packet) =:= message ->
      {<<>>, Service, <<>>} = jid:tolower(xmpp:get_from(Packet)),
      case fxml:get_subtag(xmpp:encode(Packet), <<"pubsub">>) of
        false -> {Packet, State};
        PubSub -> EndSession(Service, jid:tolower(xmpp:get_to(Packet)), PubSub), {drop, State}
      end;
    (Other) -> Other
end.

ok = ejabberd_hooks:add(component_send_packet, FromComponent, 50).
