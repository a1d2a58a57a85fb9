using BenchmarkDotNet.Running;
using Postern.Bench;

// dotnet run -c Release --project bench/Postern.Bench -- --filter '*'
// dotnet run -c Release --project bench/Postern.Bench -- session
// dotnet run -c Release --project bench/Postern.Bench -- logins
// dotnet run -c Release --project bench/Postern.Bench -- stranger
// dotnet run -c Release --project bench/Postern.Bench -- queued 200000
if (args is ["session"])
    await SessionCost.RunAsync();
else if (args is ["logins"])
    return await LoginTiming.RunAsync();
else if (args is ["stranger"])
    return await StrangerFlood.RunAsync();
else if (args is ["queued", var messages])
    await QueuedCost.RunAsync(int.Parse(messages, System.Globalization.CultureInfo.InvariantCulture));
else
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
