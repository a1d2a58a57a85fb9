using Postern.Commands;
using Postern.Commands.Output;
using Postern.Machine;

HomeDirectory.Settle();
return await PosternCommands.RunAsync(CalledAs.Arguments(args), Terminal.OfProcess(), TimeProvider.System, CancellationToken.None);
