namespace Postern.Commands.Try;

/// <summary>One thing that <c>try</c> shows.</summary>
/// <param name="Title">What happens, in a sentence.</param>
/// <param name="Expected">What must come out, for the table.</param>
/// <param name="PlayAsync">Throws <see cref="TryFailure"/> when it comes out otherwise.</param>
internal sealed record TryScene(string Title, string Expected, Func<TryWorld, TryScreen, CancellationToken, Task> PlayAsync)
{
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(15);
}
