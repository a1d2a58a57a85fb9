using System.CommandLine;
using Postern.Commands.Output;

namespace Postern.Commands.Try;

/// <summary>
/// <c>postern try</c>: the main job from end to end, on free loopback ports and temporary data: logins, delivery, refusals, each shown as
/// it happens. Nothing leaves the machine.
/// </summary>
internal static class TryCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand(
            "try", "Watch the main job end to end on loopback, with temporary data; exit 0 only if all came out right", "postern try");
        context.ReadNoConfiguration(command);
        command.SetAction(async (_, ct) => await RunAsync(context, ct));
        return command;
    }

    private static async Task<int> RunAsync(CommandContext context, CancellationToken ct)
    {
        var data = Directory.CreateTempSubdirectory("postern-try-").FullName;
        try
        {
            var screen = new TryScreen(context.Terminal);
            await using var world = await TryWorld.StartAsync(data, context.Clock, ct);
            screen.Introduce(world);
            foreach (var scene in TryScenes.All)
                await PlayAsync(scene, world, screen, ct);
            return screen.Conclude() ? ExitCode.Ok : ExitCode.No;
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task PlayAsync(TryScene scene, TryWorld world, TryScreen screen, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(TryScene.Patience);
        screen.Begin(scene);
        try
        {
            await scene.PlayAsync(world, screen, patience.Token);
            screen.End(scene, failure: null);
        }
        catch (TryFailure failure)
        {
            screen.End(scene, failure.Message);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            screen.End(scene, $"nothing came for {TryScene.Patience.TotalSeconds:0} seconds");
        }
        catch (IOException e)
        {
            screen.End(scene, e.Message);
        }
    }
}
