using Microsoft.AspNetCore.Components;

namespace Postern.Web.Parts;

/// <summary>A part that shows times, or whose links depend on who looks.</summary>
public abstract class FramedPart : ComponentBase
{
    [CascadingParameter]
    public PageFrame Frame { get; set; } = default!;
}
