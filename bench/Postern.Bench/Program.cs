using BenchmarkDotNet.Running;

// dotnet run -c Release --project bench/Postern.Bench -- --filter '*'
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
