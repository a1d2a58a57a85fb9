using Postern.Commands;
using Postern.Commands.Output;
using Postern.Machine;

HomeDirectory.Settle();
return await PosternCommands.RunAsync(args, Terminal.OfProcess(), TimeProvider.System, CancellationToken.None);
