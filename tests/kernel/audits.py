"""What the audit of a real tree is held to: the maintainers' list, and who tells device memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from analyzer.sites import Audit, Site, Verdict


@dataclass(frozen=True, slots=True)
class Row:
    """A place of the maintainers' audit (SEMANTICS, section 4), and words of a reason that agrees.

    Every use in the function of the file counts as one row.
    """

    file: str
    function: str
    words: tuple[str, ...]


MAINTAINERS = (
    Row("fs/proc/task_mmu.c", "can_gather_numa_stats", ("mapped into user space",)),
    Row("fs/proc/task_mmu.c", "can_gather_numa_stats_pmd", ("mapped into user space",)),
    Row("kernel/power/snapshot.c", "saveable_highmem_page", ("tested as well",)),
    Row("kernel/power/snapshot.c", "saveable_page", ("tested as well",)),
    Row("mm/hugetlb_vmemmap.c", "vmemmap_split_pmd", ("holds the memory map",)),
    Row("mm/hugetlb_vmemmap.c", "free_vmemmap_page", ("frees the page either way",)),
    Row("mm/page_alloc.c", "pfn_range_valid_contig", ("comes after it, fails",)),
    Row("mm/page_ext.c", "free_page_ext", ("kernel memory in use", "from the allocator")),
    Row("mm/page_isolation.c", "has_unmovable_pages", ("comes after it, fails",)),
    Row("mm/page_owner.c", "pagetypeinfo_showmixedcount_print", ("the same for",)),
    Row("mm/page_owner.c", "init_pages_in_zone", ("the same for",)),
    Row("mm/sparse.c", "section_deactivate", ("kernel memory in use",)),
    Row("mm/sparse-vmemmap.c", "section_deactivate", ("kernel memory in use",)),
    Row("virt/kvm/kvm_main.c", "kvm_pfn_to_refcounted_page", ("MMIO",)),
    Row("virt/kvm/kvm_main.c", "kvm_is_ad_tracked_page", ("MMIO",)),
)

#: Who tells device memory or MMIO by PageReserved().
DEVICE = (
    ("virt/kvm/kvm_main.c", "kvm_is_ad_tracked_page"),
    ("arch/x86/kvm/mmu/spte.c", "kvm_is_mmio_pfn"),
    ("arch/powerpc/kvm/book3s_64_mmu_hv.c", "kvmppc_book3s_hv_page_fault"),
    ("arch/powerpc/kvm/book3s_64_mmu_radix.c", "kvmppc_book3s_instantiate_page"),
    ("drivers/vfio/vfio_iommu_type1.c", "is_invalid_reserved_pfn"),
    ("arch/powerpc/mm/book3s64/hash_utils.c", "hash_page_do_lazy_icache"),
    ("arch/powerpc/mm/pgtable.c", "maybe_pte_to_folio"),
    ("arch/x86/mm/ioremap.c", "__ioremap_check_ram"),
)

#: Who tells boot memory by it.
BOOT = (
    ("drivers/firmware/memmap.c", "release_firmware_map_entry"),
    ("mm/sparse.c", "section_deactivate"),
    ("mm/sparse-vmemmap.c", "section_deactivate"),
    ("mm/page_ext.c", "free_page_ext"),
    ("mm/hugetlb_vmemmap.c", "free_vmemmap_page"),
    ("arch/x86/mm/init_64.c", "free_pagetable"),
    ("arch/s390/mm/vmem.c", "vmem_pte_free"),
    ("arch/powerpc/mm/book3s64/pgtable.c", "pmd_fragment_free"),
)


def sites_in(result: Audit, place: tuple[str, str]) -> list[Site]:
    """Return the sites in a function."""
    return [s for s in result.sites if (s.file, s.function) == place]


def with_verdict(result: Audit, *verdicts: Verdict) -> set[tuple[str, str]]:
    """Return the functions that hold a site with one of the verdicts."""
    return {(s.file, s.function) for s in result.sites if s.verdict in verdicts}


def agreeing(result: Audit, rows: Iterable[Row]) -> list[Row]:
    """Return the rows that have a reason the maintainers' agrees with."""
    return [
        row
        for row in rows
        if any(
            s.verdict is Verdict.UNAFFECTED and any(w in s.reason for w in row.words)
            for s in sites_in(result, (row.file, row.function))
            if "Reserved" in s.operation
        )
    ]
