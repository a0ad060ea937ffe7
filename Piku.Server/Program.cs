using Piku.Server.Hosting;

return args is ["serve", .. var rest]
    ? await Daemon.RunAsync(rest)
    : await LocalCall.RunAsync(args);
