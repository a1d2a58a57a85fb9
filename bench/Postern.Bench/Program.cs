using BenchmarkDotNet.Running;
using Postern.Bench;

// dotnet run -c Release --project bench/Postern.Bench -- --filter '*'
// dotnet run -c Release --project bench/Postern.Bench -- session
// dotnet run -c Release --project bench/Postern.Bench -- logins
// dotnet run -c Release --project bench/Postern.Bench -- stranger
if (args is ["session"])
    await SessionCost.RunAsync();
else if (args is ["logins"])
    return await LoginTiming.RunAsync();
else if (args is ["stranger"])
    return await StrangerFlood.RunAsync();
else
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
