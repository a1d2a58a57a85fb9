using Postern.Commands;
using Postern.Commands.Output;

return await PosternCommands.RunAsync(args, Terminal.OfProcess(), TimeProvider.System, CancellationToken.None);
