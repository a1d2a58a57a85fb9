using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using BenchmarkDotNet.Running;
using Postern.Bench;

// dotnet run -c Release --project bench/Postern.Bench -- --filter '*'
// dotnet run -c Release --project bench/Postern.Bench -- session
// dotnet run -c Release --project bench/Postern.Bench -- logins
// dotnet run -c Release --project bench/Postern.Bench -- stores [cold logins [cached logins [kind of store]]]
// dotnet run -c Release --project bench/Postern.Bench -- login
// dotnet run -c Release --project bench/Postern.Bench -- loginrate
// dotnet run -c Release --project bench/Postern.Bench -- attack 3 [bcrypt|argon2id|slow]
// dotnet run -c Release --project bench/Postern.Bench -- stranger
// dotnet run -c Release --project bench/Postern.Bench -- queued 200000
// dotnet run -c Release --project bench/Postern.Bench -- queued 1000000 10 120
// dotnet run -c Release --project bench/Postern.Bench -- events 10000000
// dotnet run -c Release --project bench/Postern.Bench -- signatures
// dotnet run -c Release --project bench/Postern.Bench -- policy
// dotnet run -c Release --project bench/Postern.Bench -- thefts [seed ...]
// dotnet run -c Release --project bench/Postern.Bench -- outbound 20000 [round trip in ms [destinations [messages in flight]]]
if (args is ["session"])
    await SessionCost.RunAsync();
else if (args is ["logins"])
    return await LoginTiming.RunAsync();
else if (args is ["stores", .. var counts])
    await StoreCost.RunAsync(
        counts.Length > 0 ? int.Parse(counts[0], CultureInfo.InvariantCulture) : 3_000,
        counts.Length > 1 ? int.Parse(counts[1], CultureInfo.InvariantCulture) : 200_000,
        counts.ElementAtOrDefault(2));
else if (args is ["login"])
    await LoginCost.RunAsync();
else if (args is ["loginrate"])
    return await LoginRate.RunAsync();
else if (args is ["attack", var turns, .. var kinds])
    return await AttackedLatency.RunAsync(int.Parse(turns, CultureInfo.InvariantCulture), kinds.FirstOrDefault());
else if (args is [AttackedServer.Verb, var kind, var protection])
    return await AttackedServer.RunAsync(kind, protection == "on");
else if (args is [WrongLogins.Verb, var at, var rate])
    return await WrongLogins.RunAsync(int.Parse(at, CultureInfo.InvariantCulture), int.Parse(rate, CultureInfo.InvariantCulture));
else if (args is ["stranger"])
    return await StrangerFlood.RunAsync();
else if (args is ["signatures"])
    await SignatureCost.RunAsync();
else if (args is ["policy"])
    await PolicyCost.RunAsync();
else if (args is ["thefts", .. var seeds])
    TheftFigures.Run([.. seeds.Select(static s => int.Parse(s, CultureInfo.InvariantCulture))]);
else if (args is ["queued", var messages])
    await QueuedCost.RunAsync(int.Parse(messages, CultureInfo.InvariantCulture), rounds: 0, TimeSpan.Zero);
else if (args is ["queued", var many, var rounds, var pause])
    await QueuedCost.RunAsync(int.Parse(many, CultureInfo.InvariantCulture), int.Parse(rounds, CultureInfo.InvariantCulture), Seconds(pause));
else if (args is [QueuedCost.FillVerb, var spool, var filled, var wait])
    return await QueuedCost.FillAsync(spool, int.Parse(filled, CultureInfo.InvariantCulture), Seconds(wait));
else if (args is [QueuedServer.Verb, var data, var port, var dns, var retry])
    return await QueuedServer.RunAsync(data, int.Parse(port, CultureInfo.InvariantCulture), int.Parse(dns, CultureInfo.InvariantCulture), Seconds(retry));
else if (args is [QueuedHops.Verb])
    return await QueuedHops.RunAsync();
else if (args is ["events", var count] && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var events))
    return await EventSearch.RunAsync(events);
else if (args is ["outbound", .. var numbers])
    return await OutboundRelay.RunAsync([.. numbers.Select(static n => int.Parse(n, CultureInfo.InvariantCulture))]);
else if (args is [HopProcess.Verb, var latency])
    return await HopProcess.RunAsync(int.Parse(latency, CultureInfo.InvariantCulture));
else if (args is [HopProcess.Verb, var away, var certificate, var key])
    return await HopProcess.RunAsync(int.Parse(away, CultureInfo.InvariantCulture), X509Certificate2.CreateFromPemFile(certificate, key));
else
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;

static TimeSpan Seconds(string text) => TimeSpan.FromSeconds(double.Parse(text, CultureInfo.InvariantCulture));
